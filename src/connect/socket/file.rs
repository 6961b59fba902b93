//! The file of a socket that we made: removed at the end, never taken from somebody who listens.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};

use super::{Address, cannot_listen};
use crate::connect::Reason;
use crate::error::{Error, Result};

/// Removes the file when it is dropped, if it is still ours.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and number of the file that we made.
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    /// Makes a socket at `path` with `bind`; a file that a process left behind when it died gives way.
    ///
    /// # Errors
    /// Somebody listens there, the file is no socket, or the folder cannot be written.
    pub(super) fn bind<T>(
        address: &Address,
        path: &Path,
        bind: impl Fn(&Path) -> io::Result<T>,
    ) -> Result<(T, Self)> {
        let refused = |cause: &dyn std::fmt::Display| {
            Error::outside(format!("cannot listen at `{address}`"), cause)
        };
        let mut bound = bind(path);
        if matches!(&bound, Err(error) if error.kind() == io::ErrorKind::AddrInUse) {
            let metadata = path.symlink_metadata();
            if !metadata.is_ok_and(|metadata| metadata.file_type().is_socket()) {
                return Err(refused(&"the file exists and is no socket")
                    .help("choose another path, or remove the file"));
            }
            if is_alive(path) {
                return Err(refused(&"another process listens there")
                    .help("end that process, or choose another path"));
            }
            std::fs::remove_file(path).map_err(|error| refused(&Reason(&error)))?;
            bound = bind(path);
        }
        let socket = bound.map_err(|error| cannot_listen(address, &error))?;
        let metadata = path.symlink_metadata().ok();
        let file = SocketFile {
            path: path.to_owned(),
            identity: metadata.map(|metadata| (metadata.dev(), metadata.ino())),
        };
        Ok((socket, file))
    }
}

/// True unless the system says that nobody is there.
fn is_alive(path: &Path) -> bool {
    let stream = UnixStream::connect(path).map(drop);
    let datagram = UnixDatagram::unbound().and_then(|socket| socket.connect(path));
    let nobody = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    !(stream.is_err_and(nobody) && datagram.is_err_and(nobody))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let metadata = self.path.symlink_metadata();
        let now = metadata
            .ok()
            .map(|metadata| (metadata.dev(), metadata.ino()));
        if now.is_some() && now == self.identity {
            // Nobody is left to hear of a failure.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
