//! A host and a port, as the door reads them: what was read has one spelling.
#![no_main]

use egress::host::{Destination, Host};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = Destination::parse(bytes, Some(80)) else { return };
    let host = match &read.host {
        Host::Name(name) => {
            assert!(!name.as_str().ends_with('.') && name.as_str() == name.as_str().to_ascii_lowercase(), "a name has one spelling");
            name.as_str().to_owned()
        }
        Host::Address(address) => {
            assert_eq!(address.to_canonical(), *address, "an address has one spelling");
            if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
        }
    };
    let again = Destination::parse(format!("{host}:{}", read.port).as_bytes(), None);
    assert_eq!(again, Ok(read), "it is read the same again");
});
