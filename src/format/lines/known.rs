//! The formats of common programs, as the patterns that a user could write in the config file.
//!
//! To add one: an entry in [`KNOWN`], a sample in `samples/formats/`, a record in `grammar-tests/formats/`.
//! The first that takes a line is its format, so that the special ones come before the general.

use std::sync::LazyLock;

use super::pattern::Pattern;

/// A format by its pattern, in which `<iso>`, `<slashed>`, `<offset>`, `<zone>` and `<level>` stand for what they say.
struct Known {
    name: &'static str,
    regex: &'static str,
    /// Columns that are integers.
    integers: &'static [&'static str],
}

/// Formats in which text of any kind follows the time.
const BEFORE_TEXT: [&str; 2] = ["go", "timed"];

/// An ISO time with seconds, and one with slashes.
const ISO: &str = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?<offset>?";
const SLASHED: &str = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?<offset>?";
/// How far its clock is ahead of UTC: `Z`, `+01:00`, ` +0100`, ` UTC`.
const OFFSET: &str =
    r"(?:Z|[+-]\d\d(?::?\d\d)?| (?:[+-](?:0\d|1[0-4])(?::?(?:00|15|30|45))?|Z|UTC|GMT))";
/// The same where text of any kind may follow: `-12 degrees` is no offset.
const OFFSET_BEFORE_TEXT: &str =
    r"(?:Z|[+-]\d\d(?::?\d\d)?| (?:[+-](?:0\d|1[0-4]):?(?:00|15|30|45)|Z|UTC|GMT))";
/// Names of zones that stand for several offsets, or for other ones elsewhere: the time is what the clock showed.
const ZONES: [&str; 32] = [
    "CET", "CEST", "EET", "EEST", "WET", "WEST", "BST", "IST", "MSK", "EST", "EDT", "CST", "CDT",
    "MST", "MDT", "PST", "PDT", "AKST", "AKDT", "HST", "JST", "KST", "SGT", "HKT", "AEST", "AEDT",
    "ACST", "ACDT", "AWST", "NZST", "NZDT", "SAST",
];
const LEVEL: &str = "(?i:trace|debug|info|information|notice|warn|warning|error|err|fatal|critical|crit|severe|fine|finer|finest|config|alert|emerg|panic|verbose)";

const KNOWN: [Known; 23] = [
    Known {
        name: "spring",
        regex: r"^(?<time><iso>) +(?<level><level>) (?<pid>\d+) --- (?:\[(?<application>[^\]]*)\] )?\[ *(?<thread>[^\]]*)\] (?<logger>\S+) +: (?<message>.*)$",
        integers: &["pid"],
    },
    Known {
        name: "elasticsearch",
        regex: r"^\[(?<time><iso>)\]\[(?<level><level>) *\]\[(?<logger>[^\] ]+) *\] (?:\[(?<node>[^\]]*)\] ?)?(?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "postgres",
        regex: r"^(?<time><iso>)(?: [A-Z]{3,5})? \[(?<pid>\d+)\](?:: \[\d+-\d+\])? (?:(?<user>[^@ ]*)@(?<database>[^ ]*) )?(?<level>LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG\d?|STATEMENT|DETAIL|HINT|CONTEXT|QUERY): +(?<message>.*)$",
        integers: &["pid"],
    },
    Known {
        name: "mysql",
        regex: r"^(?<time><iso>) (?<thread>\d+) \[(?<level>\w+)\] (?:\[(?<code>MY-\d+)\] \[(?<subsystem>\w+)\] )?(?<message>.*)$",
        integers: &["thread"],
    },
    Known {
        name: "kafka",
        regex: r"^\[(?<time><iso>)\] (?<level><level>) +(?<message>.*?)(?: \((?<logger>[\w.$-]+)\))?$",
        integers: &[],
    },
    Known {
        name: "monolog",
        regex: r"^\[(?<time><iso>)\] (?<logger>[\w-]+)\.(?<level><level>): (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "env_logger",
        regex: r"^\[(?<time><iso>) (?<level><level>) +(?<logger>[^\]]+)\] (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "ruby",
        regex: r"^[A-Z], \[(?<time><iso>) #(?<pid>\d+)\] +(?<level><level>|ANY) -- (?<program>[^:]*): (?<message>.*)$",
        integers: &["pid"],
    },
    Known {
        name: "python",
        regex: r"^(?<time><iso>) - (?<logger>\S+) - (?<level><level>) - (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "zookeeper",
        regex: r"^(?<time><iso>) \[myid:(?<myid>\d*)\] - (?<level><level>) +\[(?<thread>.*?)\] - (?<message>.*)$",
        integers: &["myid"],
    },
    Known {
        name: "logback",
        regex: r"^(?<time><iso>) \[(?<thread>[^\]]*)\] (?<level><level>) +(?<logger>[\w.$:/\[\]-]+?)(?: -|:) (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "log4j",
        regex: r"^(?<time><iso>) +(?<level><level>) +(?:\[(?<thread>[^\]]*)\] )?(?<logger>[\w.$:/-]+?)(?: -|:) (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "cassandra",
        regex: r"^(?<level><level>) +\[(?<thread>[^\]]*)\] (?<time><iso>) (?<logger>\S+) - (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "tomcat",
        regex: r"^(?<time>\d\d-[A-Z][a-z][a-z]-\d{4} \d\d:\d\d:\d\d(?:\.\d{1,9})?<offset>?) (?<level><level>) \[(?<thread>[^\]]*)\] (?<logger>\S+) (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "nginx_error",
        regex: r"^(?<time><slashed>) \[(?<level>\w+)\] (?<pid>\d+)#(?<thread>\d+): (?:\*(?<connection>\d+) )?(?<message>.*)$",
        integers: &["pid", "thread", "connection"],
    },
    Known {
        name: "apache_error",
        regex: r"^\[(?<time>[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4}<offset>?)\] \[(?:(?<module>[\w-]*):)?(?<level>\w+)\] (?:\[pid (?<pid>\d+)(?::tid (?<thread>\d+))?\] )?(?:\[client (?<client>[^\]]+)\] )?(?<message>.*)$",
        integers: &["pid"],
    },
    Known {
        name: "dmesg",
        regex: r"^(?:<\d{1,3}>|(?<facility>[a-z]\w*) *:(?<level>[a-z]+) *: *)?\[ *(?<seconds>\d+\.\d{6})(?: <[ \d.]+>)?\](?:\[ *[TC]\d+\])? (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "dmesg_ctime",
        regex: r"^(?:(?<facility>[a-z]\w*) *:(?<level>[a-z]+) *: *)?\[(?<time>[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d \d{4})\](?:\[ *[TC]\d+\])? (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "redis",
        regex: r"^(?<pid>\d+):(?<role>[XCSM]) (?<time>\d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d\.\d{3}<offset>?) (?<level>[.*#-]) (?<message>.*)$",
        integers: &["pid"],
    },
    Known {
        name: "klog",
        regex: r"^(?<level>[IWEF])(?<time>\d{4} \d\d:\d\d:\d\d\.\d{1,9}) +(?<thread>\d+) (?<file>[^ :]+):(?<line>\d+)\] (?<message>.*)$",
        integers: &["thread", "line"],
    },
    Known {
        name: "go",
        regex: r"^(?<time><slashed>) (?:(?<file>[\w./-]+\.go):(?<line>\d+): )?(?<message>.*)$",
        integers: &["line"],
    },
    Known {
        name: "leveled",
        regex: r"^\[?(?<time><iso>)<zone>?\]? +[\[(]?(?<level><level>)[\])]?:? +(?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "timed",
        regex: r"^\[?(?<time><iso>)\]?:? +(?<message>\S.*)$",
        integers: &[],
    },
];

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let patterns = KNOWN.iter().filter_map(|known| {
        // Digits and words are those of ASCII: programs write no others.
        let offset = match BEFORE_TEXT.contains(&known.name) {
            true => OFFSET_BEFORE_TEXT,
            false => OFFSET,
        };
        let text = known
            .regex
            .replace("<iso>", ISO)
            .replace("<slashed>", SLASHED)
            .replace("<offset>", offset)
            .replace("<zone>", &format!("(?: (?:{}))", ZONES.join("|")))
            .replace("(?<level><level>", &format!("(?<level>{LEVEL}"))
            .replace(r"\d", "[0-9]")
            .replace(r"\w", "[0-9A-Za-z_]");
        let pattern = Pattern::new(known.name, &text).ok()?;
        Some(pattern.known(known.integers))
    });
    patterns.collect()
});

/// The patterns of the known formats, special ones first.
pub(super) fn known_patterns() -> &'static [Pattern] {
    &PATTERNS
}

/// The name of a zone that stands behind a time, ` CET`.
pub(super) fn zone_behind(rest: &[u8]) -> Option<&'static str> {
    let rest = rest.strip_prefix(b" ")?;
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let name = &rest[..length];
    ZONES.into_iter().find(|zone| zone.as_bytes() == name)
}

/// The names of the known formats.
pub fn known_pattern_names() -> impl Iterator<Item = &'static str> + Clone {
    KNOWN.iter().map(|known| known.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_sound() {
        let names: Vec<&str> = known_patterns().iter().map(Pattern::name).collect();
        assert_eq!(names, known_pattern_names().collect::<Vec<_>>());
        for (pattern, known) in known_patterns().iter().zip(&KNOWN) {
            let columns = pattern.columns();
            let is_timed = pattern.time_column().or(pattern.seconds_column());
            assert!(is_timed.is_some(), "{}", known.name);
            for integer in known.integers {
                assert!(
                    columns.iter().any(|column| column == integer),
                    "{}: {integer}",
                    known.name
                );
            }
        }
    }
}
