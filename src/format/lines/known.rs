//! The formats of common programs, as the patterns that a user could write in the config file.
//!
//! To add one: an entry in [`KNOWN`], a sample in `samples/formats/`, a record in `grammar-tests/formats/`.
//! The first that takes a line is its format, so that the special ones come before the general.

use std::sync::LazyLock;

use super::pattern::Pattern;

/// A format by its pattern, in which `<time>`, `<slashed>` and `<level>` stand for what they say.
struct Known {
    name: &'static str,
    regex: &'static str,
    /// Columns that are integers.
    integers: &'static [&'static str],
}

/// An ISO time with seconds; a zone by name only if it is UTC.
const ISO: &str =
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d|[+-]\d\d| UTC| GMT)?";
const SLASHED: &str = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?";
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
        regex: r"^(?<time>\d\d-[A-Z][a-z][a-z]-\d{4} \d\d:\d\d:\d\d(?:\.\d{1,9})?) (?<level><level>) \[(?<thread>[^\]]*)\] (?<logger>\S+) (?<message>.*)$",
        integers: &[],
    },
    Known {
        name: "nginx_error",
        regex: r"^(?<time><slashed>) \[(?<level>\w+)\] (?<pid>\d+)#(?<thread>\d+): (?:\*(?<connection>\d+) )?(?<message>.*)$",
        integers: &["pid", "thread", "connection"],
    },
    Known {
        name: "apache_error",
        regex: r"^\[(?<time>[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4})\] \[(?:(?<module>[\w-]*):)?(?<level>\w+)\] (?:\[pid (?<pid>\d+)(?::tid (?<thread>\d+))?\] )?(?:\[client (?<client>[^\]]+)\] )?(?<message>.*)$",
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
        regex: r"^(?<pid>\d+):(?<role>[XCSM]) (?<time>\d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d\.\d{3}) (?<level>[.*#-]) (?<message>.*)$",
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
        regex: r"^\[?(?<time><iso>)\]? +[\[(]?(?<level><level>)[\])]?:? +(?<message>.*)$",
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
        let text = known
            .regex
            .replace("<iso>", ISO)
            .replace("<slashed>", SLASHED)
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
