use crate::role::Child;
use crate::{Error, Observation, Plan, Wall};
use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{BorrowedFd, OwnedFd};

/// A session whose walls stand and whose agent has not started.
#[derive(Debug)]
pub struct Ready {
    /// What each wall did when it was tried from inside.
    pub observed: BTreeMap<Wall, Observation>,
    /// 127.0.0.1 at the gateway's port, inside.
    pub gateway: Option<TcpListener>,
    /// 127.0.0.1 at the proxy's port, inside.
    pub proxy: Option<TcpListener>,
    /// Every other IPv4 TCP connection.
    pub redirect_v4: Option<TcpListener>,
    /// Every other IPv6 TCP connection (none on a host without IPv6).
    pub redirect_v6: Option<TcpListener>,
    /// Name queries by UDP over IPv4, to any address.
    pub dns_udp_v4: Option<UdpSocket>,
    /// Name queries by UDP over IPv6, to any address.
    pub dns_udp_v6: Option<UdpSocket>,
    /// Name queries by TCP over IPv4, to any address.
    pub dns_tcp_v4: Option<TcpListener>,
    /// Name queries by TCP over IPv6, to any address.
    pub dns_tcp_v6: Option<TcpListener>,
    /// The master of the session's terminal.
    pub terminal: Option<OwnedFd>,
    /// Write end of the program's standard input, if it is a pipe.
    pub stdin: Option<OwnedFd>,
    /// Read end of the program's standard output, if it is a pipe.
    pub stdout: Option<OwnedFd>,
    /// Read end of the program's standard error, if it is a pipe.
    pub stderr: Option<OwnedFd>,
    /// One report (file opened, file refused, system call refused) a datagram. When it is full, the agent stands still.
    pub reports: OwnedFd,
}

/// The process that holds the walls, seen from the supervisor. Dropping it ends the session.
#[derive(Debug)]
pub struct Warden {
    child: Child,
}

/// Starts the warden. Must be called before this process starts a second thread.
///
/// # Errors
/// [`Error::Threaded`]; [`Error::Plan`] for a plan that contradicts itself; [`Error::System`].
pub fn spawn(plan: Plan) -> Result<Warden, Error> {
    if !crate::kernel::is_single_threaded().map_err(Error::system("count this process's threads"))? {
        return Err(Error::Threaded);
    }
    let _ = plan;
    Err(Error::Order("sessions are not built yet"))
}

impl Warden {
    /// Waits until the walls stand, the listeners are made and the probes ran. The agent has not started.
    ///
    /// # Errors
    /// [`Error::WallMissing`] if a required wall is missing or did not hold; [`Error::WardenLost`]; whatever failed inside.
    pub fn ready(&mut self) -> Result<Ready, Error> {
        Err(Error::WardenLost)
    }

    /// Starts the agent.
    ///
    /// # Errors
    /// [`Error::Order`] before [`Warden::ready`]; [`Error::WardenLost`].
    pub fn release(&mut self) -> Result<(), Error> {
        Err(Error::WardenLost)
    }

    /// Sends a signal to the agent's process group.
    pub fn signal(&self, signal: i32) {
        let _ = signal;
    }

    /// Tells the session's terminal its new size.
    pub fn resize(&self, rows: u16, cols: u16) {
        let _ = (rows, cols);
    }

    /// Ends the session and everything in it at once.
    pub fn kill(&self) {
        self.child.kill();
    }

    /// Waits for the agent's end and that of everything it left behind; returns its exit code (128 + signal number).
    ///
    /// # Errors
    /// [`Error::WardenLost`] if the warden was killed; [`Error::Path`] if the program could not be executed.
    pub fn wait(&mut self) -> Result<i32, Error> {
        self.child.wait()
    }

    /// Readable when the session is over.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.child.pidfd()
    }
}
