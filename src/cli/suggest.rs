//! Did you mean: the closest of the names that exist.

use crate::error::Error;

/// The candidate closest to `name`, if one is close enough to be a typo of it.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    // Two letters in three must be right.
    let limit = (name.chars().count() / 3).max(1);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&name, &candidate.to_lowercase());
    let scored = candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate));
    let close = scored.filter(|(distance, _)| *distance <= limit);
    close
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Labels an error with the candidate closest to `name`.
#[must_use]
pub fn among<'a>(error: Error, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Error {
    match closest(name, candidates) {
        Some(candidate) => error.label(format!("did you mean `{candidate}`?")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_name() {
        for (name, expected) in [
            ("stauts", Some("status")),
            ("HSOT", Some("host")),
            ("ho", None),
            ("path", None),
            ("", None),
        ] {
            let candidates = ["status", "host"];
            assert_eq!(closest(name, candidates), expected, "{name}");
        }
    }
}
