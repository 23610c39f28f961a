use super::{NATIVE, Watch, Watched, X32};
use crate::bpf::ret;
use crate::bpf::verdict::verdict;
use crate::plan::{Calls, Layer};
use crate::seccomp::table::{Rule, Table, name};
use libc::{SECCOMP_RET_ALLOW as ALLOW, SECCOMP_RET_USER_NOTIF as NOTIFY, sock_filter};

/// The filter of a session that has every usual layer.
fn build(files: Watch) -> Vec<sock_filter> {
    super::build(&usual(), Watched { files, programs: files != Watch::Nothing })
}

fn usual() -> Table {
    Table::new(&Calls::default()).unwrap()
}

fn native(number: libc::c_long, arguments: [u64; 6]) -> u32 {
    verdict(&build(Watch::Contents), NATIVE, u32::try_from(number).unwrap(), arguments)
}

#[test]
fn calls_of_another_numbering_are_told() {
    let program = build(Watch::Contents);
    for arch in [0x4000_0003, 0xc000_00b7, 0, 0x4000_0028].into_iter().filter(|arch| *arch != NATIVE) {
        assert_eq!(verdict(&program, arch, 0, [0; 6]), NOTIFY);
    }
    for number in [X32, X32 | 1, X32 | 0x1a9, u32::MAX] {
        assert_eq!(verdict(&program, NATIVE, number, [0; 6]), NOTIFY);
    }
}

#[test]
fn every_number_gets_what_the_table_says_and_no_other_is_allowed() {
    let (observed, unobserved) = (build(Watch::Contents), build(Watch::Nothing));
    for number in 0..2048_u32 {
        let seen = verdict(&observed, NATIVE, number, [0; 6]);
        let wanted = match usual().rule(i32::try_from(number).unwrap()) {
            Some(Rule::Allow | Rule::Watch) => ALLOW,
            Some(Rule::Open(_) | Rule::Change(_) | Rule::Execute | Rule::Tell) => {
                assert_eq!(verdict(&unobserved, NATIVE, number, [0; 6]), ALLOW);
                NOTIFY
            }
            Some(Rule::When(..)) => continue,
            Some(Rule::Make | Rule::Connect | Rule::Trace | Rule::Refuse | Rule::RefuseAbsent) | None => NOTIFY,
        };
        assert_eq!(seen, wanted, "{number}");
    }
}

#[test]
fn the_agents_filter_refuses_nothing_unheard() {
    let mut calls = Calls::default();
    let widest = Layer::Developer;
    for layers in [calls.layers.clone(), [calls.layers.clone(), vec![widest]].concat(), Vec::new()] {
        calls.layers = layers;
        let table = Table::new(&calls).unwrap();
        for files in [Watch::Nothing, Watch::Contents, Watch::Listings] {
            for programs in [false, true] {
                let program = super::build(&table, Watched { files, programs });
                let verdicts = program.iter().filter(|step| step.code == ret(0).code).map(|step| step.k);
                let others: Vec<u32> = verdicts.filter(|verdict| ![ALLOW, NOTIFY].contains(verdict)).collect();
                assert_eq!(others, [0_u32; 0], "{files:?} {programs}");
            }
        }
    }
}

#[test]
fn no_call_is_named_twice() {
    let mut numbers: Vec<_> = usual().entries().map(|entry| entry.number).collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), count);
}

#[test]
fn sockets_by_family_type_and_protocol() {
    let socket = |family: i32, kind: i32, protocol: i32| {
        native(libc::SYS_socket, [family, kind, protocol, 0, 0, 0].map(|value| u64::from(value.cast_unsigned())))
    };
    for family in [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6] {
        assert_eq!(socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0), ALLOW);
        assert_eq!(socket(family, libc::SOCK_DGRAM, libc::IPPROTO_UDP), if family == libc::AF_UNIX { NOTIFY } else { ALLOW });
        assert_eq!(socket(family, libc::SOCK_STREAM, libc::IPPROTO_MPTCP), NOTIFY);
        assert_eq!(socket(family, libc::SOCK_STREAM, libc::IPPROTO_SCTP), NOTIFY);
        assert_eq!(socket(family, libc::SOCK_DGRAM, libc::IPPROTO_ICMP), NOTIFY);
        assert_eq!(socket(family, libc::SOCK_RAW, libc::IPPROTO_TCP), NOTIFY);
    }
    for family in (0..64).filter(|family| ![libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].contains(family)) {
        assert_eq!(socket(family, libc::SOCK_DGRAM, 0), NOTIFY, "{family}");
    }
}

#[test]
fn arguments_are_compared_by_what_the_kernel_reads_of_them() {
    for number in [0x5412_u64, 0x541c] {
        assert_eq!(native(libc::SYS_ioctl, [0, number, 0, 0, 0, 0]), NOTIFY);
        assert_eq!(native(libc::SYS_ioctl, [0, number | 1 << 32, 0, 0, 0, 0]), NOTIFY);
        assert_eq!(native(libc::SYS_ioctl, [0, number + 1, 0, 0, 0, 0]), if number == 0x541c { NOTIFY } else { ALLOW });
    }
    assert_eq!(native(libc::SYS_ioctl, [0, 0x5401, 0, 0, 0, 0]), ALLOW);
    assert_eq!(native(libc::SYS_personality, [u64::from(u32::MAX), 0, 0, 0, 0, 0]), ALLOW);
    assert_eq!(native(libc::SYS_personality, [0x0040_0000, 0, 0, 0, 0, 0]), NOTIFY);
    assert_eq!(native(libc::SYS_prctl, [15, 0, 0, 0, 0, 0]), ALLOW);
    assert_eq!(native(libc::SYS_prctl, [35, 0, 0, 0, 0, 0]), NOTIFY);
}

#[test]
fn a_descriptor_for_the_name_only_is_left_to_the_kernel_where_its_flags_cannot_change() {
    let path = u64::from(libc::O_PATH.cast_unsigned());
    assert_eq!(native(libc::SYS_openat, [0, 0, path, 0, 0, 0]), ALLOW);
    assert_eq!(native(libc::SYS_openat, [0, path, 0, path, 0, 0]), NOTIFY);
    assert_eq!(native(libc::SYS_openat, [0, 0, path << 32, 0, 0, 0]), NOTIFY);
    assert_eq!(native(libc::SYS_openat2, [path; 6]), NOTIFY);
}

#[test]
fn only_a_folder_that_is_opened_to_be_listed_is_left_to_the_kernel_and_none_where_names_are_hidden() {
    let open = |flags: i32| [0, 0, u64::from(flags.cast_unsigned()), 0, 0, 0];
    let lists = libc::O_DIRECTORY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOFOLLOW;
    for more in
        [libc::O_WRONLY, libc::O_RDWR, libc::O_ACCMODE, libc::O_CREAT, libc::O_TRUNC, libc::O_TMPFILE, libc::O_TMPFILE | libc::O_RDWR]
    {
        assert_eq!(native(libc::SYS_openat, open(lists | more)), NOTIFY, "{more:o}");
    }
    assert_eq!(native(libc::SYS_openat, open(lists & !libc::O_DIRECTORY)), NOTIFY);
    // The flags in another register, or in the half that the kernel does not read.
    assert_eq!(native(libc::SYS_openat, [0, u64::from(lists.cast_unsigned()), 0, u64::from(lists.cast_unsigned()), 0, 0]), NOTIFY);
    assert_eq!(native(libc::SYS_openat, [0, 0, u64::from(lists.cast_unsigned()) << 32, 0, 0, 0]), NOTIFY);
    assert_eq!(native(libc::SYS_openat2, [u64::from(lists.cast_unsigned()); 6]), NOTIFY);
    assert_eq!(native(libc::SYS_openat, open(lists)), ALLOW);
    let number = u32::try_from(libc::SYS_openat).unwrap();
    assert_eq!(verdict(&build(Watch::Listings), NATIVE, number, open(lists)), NOTIFY);
    assert_eq!(verdict(&build(Watch::Listings), NATIVE, number, open(libc::O_PATH)), ALLOW);
}

#[test]
fn threads_are_allowed_and_namespaces_are_not() {
    let thread = libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES | libc::CLONE_SIGHAND | libc::CLONE_THREAD | libc::CLONE_SETTLS;
    let clone = |flags: i32| native(libc::SYS_clone, [u64::from(flags.cast_unsigned()), 0, 0, 0, 0, 0]);
    assert_eq!(clone(thread), ALLOW);
    for flag in [libc::CLONE_NEWNS, libc::CLONE_NEWUSER, libc::CLONE_NEWPID, libc::CLONE_NEWNET, libc::CLONE_PARENT] {
        assert_eq!(clone(flag | libc::SIGCHLD), NOTIFY);
    }
}

#[test]
fn refusals_say_what_programs_understand() {
    let call = |number: libc::c_long| i32::try_from(number).unwrap();
    let refusal = |number: libc::c_long, first: u64| usual().refusal(call(number), &[first, 0, 0, 0, 0, 0]);
    assert_eq!(refusal(libc::SYS_keyctl, 0), libc::EPERM);
    assert_eq!(refusal(libc::SYS_io_uring_setup, 0), libc::ENOSYS);
    assert_eq!(refusal(1900, 0), libc::ENOSYS);
    assert_eq!(refusal(libc::SYS_socket, 16), libc::EAFNOSUPPORT);
    assert_eq!(refusal(libc::SYS_socket, 2), libc::EPROTONOSUPPORT);
    assert_eq!(refusal(libc::SYS_setsockopt, 3), libc::ENOPROTOOPT);
    assert_eq!(name(call(libc::SYS_keyctl)), "keyctl");
    assert_eq!(name(1900), "call_1900");
}

#[test]
fn unix_datagrams_and_modes_that_lend_rights_are_refused() {
    // Where files are observed, the warden tests every mode itself.
    let program = build(Watch::Nothing);
    let ask = |number: libc::c_long, arguments: [u64; 3]| {
        let [a, b, c] = arguments;
        verdict(&program, NATIVE, u32::try_from(number).unwrap(), [a, b, c, 0, 0, 0])
    };
    let (unix, inet) = (1, 2);
    let (stream, datagram, packets, flags) = (1, 2, 5, 0o2_004_000);
    for (family, kind, wanted) in [(unix, stream, ALLOW), (unix, datagram, NOTIFY), (inet, stream, ALLOW), (inet, datagram, ALLOW)] {
        assert_eq!(ask(libc::SYS_socket, [family, kind, 0]), wanted, "{family} {kind}");
        assert_eq!(ask(libc::SYS_socket, [family, kind | flags, 0]), wanted, "{family} {kind}");
    }
    // 3: a raw Unix socket is one of datagrams.
    for (kind, wanted) in [(stream, ALLOW), (packets, ALLOW), (datagram, NOTIFY), (datagram | flags, NOTIFY), (3, NOTIFY)] {
        assert_eq!(ask(libc::SYS_socketpair, [unix, kind, 0]), wanted, "{kind}");
    }
    for (mode, wanted) in [(0o755, ALLOW), (0o1777, ALLOW), (0o4755, NOTIFY), (0o2755, NOTIFY), (0o6000, NOTIFY)] {
        assert_eq!(ask(libc::SYS_fchmod, [3, mode, 0]), wanted, "{mode:o}");
        assert_eq!(ask(libc::SYS_fchmodat, [3, 0, mode]), wanted, "{mode:o}");
    }
}

#[test]
fn debuggers_begin_with_the_wardens_knowledge_or_not_at_all() {
    let number = u32::try_from(libc::SYS_ptrace).unwrap();
    let mut calls = Calls::default();
    calls.layers.push(Layer::Developer);
    let (without, with) =
        (build(Watch::Contents), super::build(&Table::new(&calls).unwrap(), Watched { files: Watch::Contents, programs: true }));
    for request in 0..0x4220_u64 {
        assert_eq!(verdict(&without, NATIVE, number, [request, 0, 0, 0, 0, 0]), NOTIFY);
        let wanted = if matches!(request, 0 | 16 | 0x4206) { NOTIFY } else { ALLOW };
        assert_eq!(verdict(&with, NATIVE, number, [request, 0, 0, 0, 0, 0]), wanted, "{request:#x}");
    }
    assert!(usual().rule(i32::try_from(number).unwrap()).is_none());
    assert_eq!(usual().refusal(i32::try_from(number).unwrap(), &[16, 0, 0, 0, 0, 0]), libc::EPERM);
}
