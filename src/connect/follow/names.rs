//! What the names of logs say: which are rotations of one log, and which of two is older.
//!
//! ```text
//!   app.log.2.gz  app.log.1  app.log            one log, oldest first: a higher number is older
//!   app.log-20261124  app.log                   likewise: an earlier date is older
//! ```

use std::cmp::Reverse;
use std::path::Path;

use crate::connect::Compression;

/// The name that rotations of one log have in common: without numbers, dates and what is written behind them.
pub(super) fn stem(path: &str) -> String {
    let name: String = Compression::inner_path(path)
        .chars()
        .filter(|character| !character.is_ascii_digit())
        .collect();
    let mut stem = name.as_str();
    loop {
        let shorter = stem.trim_end_matches(['.', '-', '_', '~']);
        let shorter = [".old", ".prev"]
            .iter()
            .chain(&COPIES)
            .find_map(|ending| shorter.strip_suffix(ending))
            .unwrap_or(shorter);
        if shorter == stem {
            return stem.to_owned();
        }
        stem = shorter;
    }
}

/// How somebody names a copy of a file.
const COPIES: [&str; 5] = [".bak", ".orig", ".copy", ".save", "~"];

/// The file that one of this name is a copy of, by its name.
pub(super) fn copied_from(path: &str) -> Option<&str> {
    COPIES.iter().find_map(|ending| path.strip_suffix(ending))
}

/// Orders the rotations of one log, oldest first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    /// `app.log.2`.
    Numbered(Reverse<u32>),
    /// `app.log-20261124`, `app-2026-11-24.log`: its digits.
    Dated(String),
    /// `app.log`.
    Newest,
}

/// How old a log is, by its name.
pub(super) fn age(path: &str) -> Age {
    let inner = Path::new(Compression::inner_path(path));
    let name = inner.file_name().unwrap_or_default().to_string_lossy();
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let number = name.rsplit_once('.').and_then(|(_, number)| {
        let is_number = (1..=5).contains(&number.len());
        is_number.then(|| number.parse().ok()).flatten()
    });
    match number {
        Some(number) => Age::Numbered(Reverse(number)),
        None if name.ends_with(".old") => Age::Numbered(Reverse(1)),
        None if digits.len() >= 6 => Age::Dated(digits),
        None => Age::Newest,
    }
}

/// The files of a list, oldest first: rotations of one log by their names, different logs by `written`, the time
/// of their last change.
pub(super) fn sort_oldest_first<T: Ord + Copy>(paths: &mut [(String, T)]) {
    let mut oldest = std::collections::BTreeMap::new();
    for (path, written) in paths.iter() {
        let least = oldest.entry(stem(path)).or_insert(*written);
        *least = (*least).min(*written);
    }
    paths.sort_by_cached_key(|(path, written)| {
        let stem = stem(path);
        (oldest.get(&stem).copied(), stem, age(path), *written)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_of_one_log_have_one_stem() {
        let logs = [
            "logs/app.log",
            "logs/app.log.1",
            "logs/app.log.12.gz",
            "logs/app.log-20261124",
            "logs/app.log-20261124.zst",
            "logs/app.log.old",
            "logs/app.log.1.bak",
            "logs/app.log.orig",
            "logs/app.log~",
        ];
        for log in logs {
            assert_eq!(stem(log), "logs/app.log", "{log}");
        }
        assert_ne!(stem("logs/app.log"), stem("logs/api.log"));
        assert_ne!(stem("a/app.log"), stem("b/app.log"));
    }

    #[test]
    fn the_oldest_comes_first() {
        // Times as after a copy: the newest log was copied first.
        let mut paths = [
            ("app.log", 1),
            ("app.log.10.gz", 2),
            ("app.log.9.gz", 3),
            ("app.log.1", 4),
            ("api-2026-11-25.log", 1),
            ("api-2026-11-24.log", 0),
        ]
        .map(|(path, written)| (path.to_owned(), written));
        sort_oldest_first(&mut paths);
        let sorted = paths.map(|(path, _)| path);
        assert_eq!(
            sorted,
            [
                "api-2026-11-24.log",
                "api-2026-11-25.log",
                "app.log.10.gz",
                "app.log.9.gz",
                "app.log.1",
                "app.log",
            ]
        );
    }
}
