//! Where Packer connects, once.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::names::API;

/// Packer connects as soon as it has read the address; it waits this long for it itself.
const PATIENCE: Duration = Duration::from_mins(1);
/// The kernel's limit for paths of sockets, on the stricter of the systems.
#[cfg(unix)]
const MAX_PATH: usize = 103;
/// Names that are tried before giving up.
#[cfg(unix)]
const TRIES: u32 = 64;

/// A connection of either kind.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A place to listen.
pub(crate) struct Listener {
    socket: Socket,
    address: String,
    folder: Option<Folder>,
}

enum Socket {
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
    Tcp(TcpListener),
}

/// A folder that only we may enter, so that nobody else on this machine can connect; gone when it is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Listener {
    /// Listens on a socket in a folder, or on a port where there are no such sockets or the path would be too long.
    pub(crate) async fn bind(folder: &Path, ports: RangeInclusive<u16>) -> io::Result<Self> {
        #[cfg(unix)]
        match unix(folder) {
            Ok(listener) => return Ok(listener),
            Err(error) => tracing::debug!(%error, "no socket there; taking a port"),
        }
        let _ = folder;
        tcp(ports).await
    }

    /// The line that Packer waits for.
    pub(crate) fn handshake(&self) -> String {
        let network = match self.socket {
            #[cfg(unix)]
            Socket::Unix(_) => "unix",
            Socket::Tcp(_) => "tcp",
        };
        format!("{}|{}|{network}|{}\n", API.0, API.1, self.address)
    }

    /// The one connection. The socket is removed then.
    pub(crate) async fn accept(self) -> io::Result<Box<dyn Connection>> {
        let accepted = async {
            Ok::<Box<dyn Connection>, io::Error>(match &self.socket {
                #[cfg(unix)]
                Socket::Unix(listener) => Box::new(listener.accept().await?.0),
                Socket::Tcp(listener) => {
                    let stream = listener.accept().await?.0;
                    stream.set_nodelay(true)?;
                    Box::new(stream)
                }
            })
        };
        let accepted = timeout(PATIENCE, accepted).await;
        drop(self.folder);
        accepted.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "Packer did not connect")))
    }
}

#[cfg(unix)]
fn unix(parent: &Path) -> io::Result<Listener> {
    use std::os::unix::fs::DirBuilderExt;

    let process = std::process::id();
    for attempt in 0..TRIES {
        let folder = parent.join(format!("packer-plugin{process}-{attempt}"));
        let path = folder.join("s");
        let Some(address) = path.to_str().filter(|path| path.len() <= MAX_PATH).map(str::to_owned) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidFilename,
                "the path is too long for a socket",
            ));
        };
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            other => other?,
        }
        let folder = Some(Folder(folder));
        let socket = Socket::Unix(tokio::net::UnixListener::bind(path)?);
        return Ok(Listener {
            socket,
            address,
            folder,
        });
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

async fn tcp(ports: RangeInclusive<u16>) -> io::Result<Listener> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the range of ports is empty");
    for port in ports {
        match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => {
                let address = listener.local_addr()?.to_string();
                let socket = Socket::Tcp(listener);
                return Ok(Listener {
                    socket,
                    address,
                    folder: None,
                });
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
