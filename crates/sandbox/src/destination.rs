use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Option number of the original destination in both families (linux/netfilter_ipv4.h, linux/netfilter_ipv6/ip6_tables.h).
const ORIGINAL_DESTINATION: libc::c_int = 80;

/// Where a redirected connection wanted to go, as the kernel's connection tracking remembers it.
///
/// # Errors
/// What the kernel says; `ENOENT` for a connection that was made directly to the listener.
pub fn original_destination(socket: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    match original_v4(socket) {
        Ok(address) => Ok(address),
        Err(_) => original_v6(socket),
    }
}

fn original_v4(socket: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let mut address = libc::sockaddr_in { sin_family: 0, sin_port: 0, sin_addr: libc::in_addr { s_addr: 0 }, sin_zero: [0; 8] };
    let mut length = length_of::<libc::sockaddr_in>();
    // SAFETY: the option writes at most `length` bytes, the size of the structure that the pointer leads to.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_IP, ORIGINAL_DESTINATION, (&raw mut address).cast(), &raw mut length) };
    crate::kernel::checked(result.into())?;
    let ip = Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr));
    Ok(SocketAddr::new(IpAddr::V4(ip), u16::from_be(address.sin_port)))
}

fn original_v6(socket: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let mut address = libc::sockaddr_in6 {
        sin6_family: 0,
        sin6_port: 0,
        sin6_flowinfo: 0,
        sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
        sin6_scope_id: 0,
    };
    let mut length = length_of::<libc::sockaddr_in6>();
    // SAFETY: the option writes at most `length` bytes, the size of the structure that the pointer leads to.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_IPV6, ORIGINAL_DESTINATION, (&raw mut address).cast(), &raw mut length) };
    crate::kernel::checked(result.into())?;
    let ip = Ipv6Addr::from(address.sin6_addr.s6_addr);
    Ok(SocketAddr::new(IpAddr::V6(ip), u16::from_be(address.sin6_port)))
}

fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0)
}
