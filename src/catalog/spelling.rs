//! Which of several names a name means: the one that is spelled so, else the only one ignoring case.
//!
//! ```text
//!   ts  among ts, Ts     ts
//!   TS  among ts, n      ts
//!   TS  among ts, Ts     none of them; where one must be chosen, an error that shows both
//! ```

use crate::error::{Error, Result};

/// The place of the name that `wanted` means; `None` if there is none, or if it may be several.
pub fn place_of_name<'n>(names: impl IntoIterator<Item = &'n str>, wanted: &str) -> Option<usize> {
    find(names, wanted).ok().flatten()
}

/// The same where a user has to say which of several is meant.
///
/// # Errors
/// No name is spelled so, and two are but for case.
pub fn only_place_of_name<'n>(
    names: impl IntoIterator<Item = &'n str>,
    wanted: &str,
) -> Result<Option<usize>> {
    find(names, wanted).map_err(|[first, second]| {
        Error::plan(format!("`{wanted}` may be `{first}` or `{second}`"))
            .help(format!("write `{first}` or `{second}`, in that spelling"))
    })
}

fn find<'n>(
    names: impl IntoIterator<Item = &'n str>,
    wanted: &str,
) -> Result<Option<usize>, [&'n str; 2]> {
    let mut alike: Option<(usize, &str)> = None;
    let mut two = None;
    for (place, name) in names.into_iter().enumerate() {
        if name == wanted {
            return Ok(Some(place));
        }
        if is_alike(name, wanted) {
            match alike {
                None => alike = Some((place, name)),
                Some((_, first)) => two = two.or(Some([first, name])),
            }
        }
    }
    match two {
        Some(two) => Err(two),
        None => Ok(alike.map(|(place, _)| place)),
    }
}

/// True for names that differ in case alone.
fn is_alike(one: &str, other: &str) -> bool {
    let is_ascii = one.is_ascii() && other.is_ascii();
    one.eq_ignore_ascii_case(other) || !is_ascii && one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_comes_before_the_case() {
        for (names, wanted, place) in [
            (["Ts", "ts", "n"], "ts", Some(1)),
            (["Ts", "a", "n"], "ts", Some(0)),
            (["a", "n", "\u{c4}"], "\u{e4}", Some(2)),
            (["Ts", "ts", "n"], "TS", None),
            (["a", "b", "n"], "ts", None),
        ] {
            assert_eq!(
                place_of_name(names, wanted),
                place,
                "{wanted} among {names:?}"
            );
        }
    }

    #[test]
    fn two_are_shown() {
        let error = only_place_of_name(["Ts", "n", "ts"], "TS").unwrap_err();
        assert_eq!(error.message(), "`TS` may be `Ts` or `ts`");
        assert_eq!(error.helps(), ["write `Ts` or `ts`, in that spelling"]);
    }
}
