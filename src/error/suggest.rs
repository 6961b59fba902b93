//! Did you mean: the closest of the names that exist.

use super::Error;

/// The candidate closest to `name`, if one is close enough to be what was meant: one letter in three may
/// be wrong, three at most. Among equally close ones the one that begins alike.
pub fn closest<T: AsRef<str>>(name: &str, candidates: impl IntoIterator<Item = T>) -> Option<T> {
    let name = name.to_lowercase();
    let limit = (name.chars().count() / 3).min(3);
    candidates
        .into_iter()
        .map(|candidate| {
            let other = candidate.as_ref().to_lowercase();
            let distance = strsim::osa_distance(&name, &other);
            (distance, -strsim::jaro_winkler(&name, &other), candidate)
        })
        .filter(|(distance, ..)| *distance <= limit)
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map(|(_, _, candidate)| candidate)
}

impl Error {
    /// Labels the error with the candidate closest to `name`, if one is close.
    #[must_use]
    pub fn suggest<T: AsRef<str>>(
        self,
        name: &str,
        candidates: impl IntoIterator<Item = T>,
    ) -> Self {
        self.meant(closest(name, candidates))
    }

    /// Labels the error with what was probably meant, if that is known.
    #[must_use]
    pub fn meant<T: AsRef<str>>(self, meant: Option<T>) -> Self {
        match meant {
            Some(meant) => self.label(format!("did you mean `{}`?", meant.as_ref())),
            None => self,
        }
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
            ("cont", Some("count")),
            ("", None),
        ] {
            let candidates = ["status", "host", "cot", "count"];
            assert_eq!(closest(name, candidates), expected, "{name}");
        }
    }
}
