//! `access-log`: requests to a web service: many hosts, paths and users, a few errors, a long tail of
//! latencies.

use super::random::Random;
use super::row::Row;
use super::{Generate, GenerateArgs};

pub(super) const COLUMNS: &[&str] = &[
    "ts",
    "host",
    "path",
    "status",
    "bytes",
    "latency_ms",
    "user",
];

const DEFAULT_HOSTS: u32 = 200;
const DEFAULT_PATHS: u32 = 600;
const DEFAULT_USERS: u32 = 50_000;

/// Status codes and how many of 1,000 requests get each.
const STATUSES: &[(u64, u64)] = &[
    (200, 850),
    (201, 30),
    (204, 20),
    (301, 20),
    (304, 40),
    (404, 25),
    (500, 10),
    (503, 5),
];

const DIRECTORIES: &[&str] = &[
    "/api/v1/items/",
    "/api/v1/users/",
    "/static/images/",
    "/shop/products/",
    "/shop/cart/lines/",
];

pub(super) struct AccessLog {
    hosts: Vec<Vec<u8>>,
    paths: Vec<Vec<u8>>,
    users: u64,
}

impl AccessLog {
    pub(super) fn new(args: &GenerateArgs) -> Self {
        let hosts = 0..args.hosts.unwrap_or(DEFAULT_HOSTS);
        let paths = 0..args.paths.unwrap_or(DEFAULT_PATHS);
        let path = |number: u32| {
            let directory = DIRECTORIES[number as usize % DIRECTORIES.len()];
            format!("{directory}{}", number as usize / DIRECTORIES.len()).into_bytes()
        };
        AccessLog {
            hosts: hosts
                .map(|number| format!("web-{number:03}").into_bytes())
                .collect(),
            paths: paths.map(path).collect(),
            users: u64::from(args.users.unwrap_or(DEFAULT_USERS)),
        }
    }
}

fn status(random: &mut Random) -> u64 {
    let mut place = random.below(1_000);
    for &(status, share) in STATUSES {
        if place < share {
            return status;
        }
        place -= share;
    }
    200
}

impl Generate for AccessLog {
    fn row(&mut self, random: &mut Random, row: &mut Row) {
        row.text(&self.hosts[random.below(self.hosts.len() as u64) as usize]);
        row.text(&self.paths[random.skewed_below(self.paths.len() as u64) as usize]);
        let status = status(random);
        row.integer(status);
        row.integer(if status == 304 || status == 204 {
            0
        } else {
            200 + random.skewed_below(40_000)
        });
        // Errors take longer, and one request in a hundred takes ten times as long.
        let mut latency = 800 + random.skewed_below(if status >= 500 { 900_000 } else { 90_000 });
        if random.below(100) == 0 {
            latency *= 10;
        }
        let digits = 1 + random.below(3) as usize;
        row.decimal(latency as i64, digits);
        row.numbered(b"u", random.below(self.users));
    }
}
