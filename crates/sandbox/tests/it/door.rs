use crate::{run, text};
use std::net::{TcpListener, UdpSocket};

const CONNECT: &str = r#"use Socket; socket(S, AF_INET, SOCK_STREAM, 0); connect(S, pack_sockaddr_in($ARGV[1], inet_aton($ARGV[0]))) and syswrite(S, "leak") and print "connected"; print "\n";"#;

#[test]
fn loopback_services_of_the_host_receive_nothing() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    tcp.set_nonblocking(true).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let (tcp_port, udp_port) = (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port());
    let datagram =
        r#"use Socket; socket(S, AF_INET, SOCK_DGRAM, 0); send(S, "leak", 0, pack_sockaddr_in($ARGV[0], inet_aton("127.0.0.1")));"#;
    for options in [&["door"][..], &[]] {
        let output = run(options, &format!("perl -e '{CONNECT}' 127.0.0.1 {tcp_port}; perl -e '{datagram}' {udp_port}"));
        assert_eq!(text(&output), "\n");
    }
    assert!(tcp.accept().is_err());
    assert!(udp.recv(&mut [0; 8]).is_err());
}

#[test]
fn every_other_connection_ends_at_the_door() {
    for address in ["203.0.113.7", "169.254.169.254", "10.0.0.1"] {
        // Connected, but to the redirect's listener: nobody else is in that network.
        assert_eq!(text(&run(&["door"], &format!("perl -e '{CONNECT}' {address} 80"))), "connected\n");
        assert_eq!(text(&run(&[], &format!("perl -e '{CONNECT}' {address} 80"))), "\n");
    }
}

#[test]
fn sockets_of_the_host_are_out_of_reach() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("bailiwick-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let connect =
        r#"use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un("\0$ARGV[0]")) and print "connected"; print "\n";"#;
    assert_eq!(text(&run(&[], &format!("perl -e '{connect}' {name}"))), "\n");
    assert!(listener.accept().is_err());
}
