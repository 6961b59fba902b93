//! Addresses of sockets as users write them: `tcp://host:port`, `unix:///path`.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use crate::connect::Reason;
use crate::error::{Error, Result};

/// Where a socket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host and port to connect to.
    Tcp(String, u16),
    /// A host and port of this machine to take connections at.
    TcpListen(String, u16),
    /// A host and port of this machine to take datagrams at.
    Udp(String, u16),
    /// A socket file to connect to.
    Unix(PathBuf),
    /// A socket file to make and take connections at.
    UnixListen(PathBuf),
    /// A socket file to make and take datagrams at.
    UnixDatagram(PathBuf),
}

/// The schemes, each with an example.
const SCHEMES: [(&str, &str); 6] = [
    ("tcp", "tcp://127.0.0.1:9000"),
    ("tcp-listen", "tcp-listen://127.0.0.1:9000"),
    ("udp", "udp://127.0.0.1:5514"),
    ("unix", "unix:///run/app.sock"),
    ("unix-listen", "unix-listen:///run/app.sock"),
    ("unix-dgram", "unix-dgram:///run/app.sock"),
];

impl Address {
    /// The address that `text` is; `None` if it has no `scheme://`.
    ///
    /// # Errors
    /// A scheme that is not known, a port or path that is missing.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(None);
        };
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        if scheme.is_empty() || !scheme.chars().all(is_word) {
            return Ok(None);
        }
        let scheme = scheme.to_ascii_lowercase();
        let path = || match rest {
            path if path.starts_with('/') && path.len() > 1 => Ok(PathBuf::from(path)),
            path => Err(Error::usage(format!("`{text}` names no socket file"))
                .help(format!("write the whole path: {scheme}:///{path}"))),
        };
        Ok(Some(match scheme.as_str() {
            "tcp" => {
                let (host, port) = host_and_port(text, rest, "")?;
                if host.is_empty() || port == 0 {
                    return Err(no_port(text, "a host and a port to connect to"));
                }
                Address::Tcp(host, port)
            }
            "tcp-listen" => {
                let (host, port) = host_and_port(text, rest, LOOPBACK)?;
                Address::TcpListen(host, port)
            }
            "udp" => {
                let (host, port) = host_and_port(text, rest, LOOPBACK)?;
                Address::Udp(host, port)
            }
            "unix" => Address::Unix(path()?),
            "unix-listen" => Address::UnixListen(path()?),
            "unix-dgram" => Address::UnixDatagram(path()?),
            other => {
                let known = SCHEMES.iter().map(|(_, example)| *example);
                let known = known.collect::<Vec<_>>().join(", ");
                let error =
                    Error::unsupported(format!("`{text}`: `{other}` is no kind of address"))
                        .note(format!("addresses: {known}"));
                return Err(error.suggest(other, SCHEMES.iter().map(|(name, _)| *name)));
            }
        }))
    }

    /// The addresses of a host and port, in the order in which the system would try them.
    ///
    /// # Errors
    /// The host is not known.
    pub(super) fn resolve(&self) -> Result<Vec<SocketAddr>> {
        let (Address::Tcp(host, port) | Address::TcpListen(host, port) | Address::Udp(host, port)) =
            self
        else {
            return Ok(Vec::new());
        };
        let found = (host.as_str(), *port).to_socket_addrs();
        let found = found.map_err(|error| {
            Error::outside(
                format!("cannot find the host `{host}` of `{self}`"),
                Reason(&error),
            )
        })?;
        Ok(found.collect())
    }
}

const LOOPBACK: &str = "127.0.0.1";

/// The host and port of `rest`; `default` stands for a host that is left out.
fn host_and_port(text: &str, rest: &str, default: &str) -> Result<(String, u16)> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = rest.rsplit_once(':').unwrap_or(("", rest));
    // An IPv6 address stands in brackets.
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let port = port.parse::<u16>().ok();
    let (Some(port), false) = (port, bare.is_none() && host.contains(':')) else {
        return Err(no_port(text, "a host and a port"));
    };
    let host = match bare.unwrap_or(host) {
        "" => default,
        "*" => "0.0.0.0",
        host => host,
    };
    Ok((host.to_owned(), port))
}

fn no_port(text: &str, wanted: &str) -> Error {
    let scheme = text
        .split("://")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let example = SCHEMES.iter().find(|(name, _)| *name == scheme);
    let example = example.map_or("", |(_, example)| *example);
    Error::usage(format!("`{text}` names no port")).help(format!("write {wanted}: {example}"))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |host: &str| match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        match self {
            Address::Tcp(host, port) => write!(f, "tcp://{}:{port}", at(host)),
            Address::TcpListen(host, port) => write!(f, "tcp-listen://{}:{port}", at(host)),
            Address::Udp(host, port) => write!(f, "udp://{}:{port}", at(host)),
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::UnixListen(path) => write!(f, "unix-listen://{}", path.display()),
            Address::UnixDatagram(path) => write!(f, "unix-dgram://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn parsed(text: &str) -> String {
        match Address::parse(text) {
            Ok(Some(address)) => address.to_string(),
            Ok(None) => String::from("none"),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn addresses() {
        for same in [
            "tcp://localhost:9000",
            "tcp-listen://127.0.0.1:0",
            "tcp-listen://0.0.0.0:9000",
            "tcp://[::1]:9000",
            "unix:///run/x.sock",
            "unix-listen:///run/x.sock",
            "unix-dgram:///dev/log",
        ] {
            assert_eq!(parsed(same), same);
        }
        assert_eq!(parsed("TCP-LISTEN://:9000/"), "tcp-listen://127.0.0.1:9000");
        assert_eq!(parsed("udp://5514"), "udp://127.0.0.1:5514");
        assert_eq!(parsed("udp://*:5514"), "udp://0.0.0.0:5514");
        assert_eq!(parsed("a.log"), "none");
        assert_eq!(parsed("a b://c"), "none");
        assert_eq!(parsed("tcp://host"), "`tcp://host` names no port");
        assert_eq!(parsed("tcp://:9000"), "`tcp://:9000` names no port");
        assert_eq!(parsed("tcp://::1:9000"), "`tcp://::1:9000` names no port");
        assert_eq!(
            parsed("unix://x.sock"),
            "`unix://x.sock` names no socket file"
        );
        assert_eq!(
            parsed("http://x/"),
            "`http://x/`: `http` is no kind of address"
        );
    }
}
