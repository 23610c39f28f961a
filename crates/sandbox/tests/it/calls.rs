use crate::{run, text};

/// Makes each call with perl and prints its error number.
fn errors(calls: &[(&str, libc::c_long, &str)]) -> Vec<(String, i32)> {
    let script = calls.iter().map(|(name, number, arguments)| {
        format!("$!=0; my $r = syscall({number}{arguments}); printf \"%s %d\\n\", \"{name}\", $r == -1 ? $!+0 : 0;")
    });
    let output = run(&[], &format!("perl -e 'my $s = q(/); my $t = $s; {}'", script.collect::<String>()));
    let lines = text(&output);
    lines.lines().map(|line| line.split_once(' ').unwrap()).map(|(name, number)| (name.to_owned(), number.parse().unwrap())).collect()
}

#[test]
fn calls_about_the_machine_other_processes_and_namespaces_are_refused() {
    let calls = [
        ("unshare", libc::SYS_unshare, ", 0x10000000"),
        ("setns", libc::SYS_setns, ", 0, 0"),
        ("mount", libc::SYS_mount, ", 0, 0, 0, 0, 0"),
        ("umount2", libc::SYS_umount2, ", 0, 0"),
        ("chroot", libc::SYS_chroot, ", $s"),
        ("pivot_root", libc::SYS_pivot_root, ", $s, $t"),
        ("open_tree", libc::SYS_open_tree, ", -100, $s, 1"),
        ("fsopen", libc::SYS_fsopen, ", $s, 0"),
        ("ptrace", libc::SYS_ptrace, ", 0, 0, 0, 0"),
        ("process_vm_readv", libc::SYS_process_vm_readv, ", $$, 0, 0, 0, 0, 0"),
        ("pidfd_getfd", libc::SYS_pidfd_getfd, ", 0, 0, 0"),
        ("keyctl", libc::SYS_keyctl, ", 0, -1, 1"),
        ("add_key", libc::SYS_add_key, ", $s, $t, $t, 1, -2"),
        ("bpf", libc::SYS_bpf, ", 5, 0, 0"),
        ("perf_event_open", libc::SYS_perf_event_open, ", 0, 0, -1, -1, 0"),
        ("userfaultfd", libc::SYS_userfaultfd, ", 1"),
        ("open_by_handle_at", libc::SYS_open_by_handle_at, ", -100, 0, 0"),
        ("name_to_handle_at", libc::SYS_name_to_handle_at, ", -100, $s, 0, 0, 0"),
        ("kexec_load", libc::SYS_kexec_load, ", 0, 0, 0, 0"),
        ("init_module", libc::SYS_init_module, ", 0, 0, 0"),
        ("syslog", libc::SYS_syslog, ", 10, 0, 0"),
        ("shmget", libc::SYS_shmget, ", 0, 4096, 0600"),
        ("msgget", libc::SYS_msgget, ", 0, 0600"),
        ("semget", libc::SYS_semget, ", 0, 1, 0600"),
        ("personality", libc::SYS_personality, ", 0x0040000"),
        ("ioctl_sti", libc::SYS_ioctl, ", 0, 0x5412, 0"),
        ("ioctl_sti_high_bits", libc::SYS_ioctl, ", 0, 0x100005412, 0"),
        ("ioctl_linux", libc::SYS_ioctl, ", 0, 0x541c, 0"),
        ("clone_newuser", libc::SYS_clone, ", 0x10000011, 0, 0, 0, 0"),
        ("prctl_set_mm", libc::SYS_prctl, ", 35, 0, 0, 0, 0"),
    ];
    let errors = errors(&calls);
    assert_eq!(errors.len(), calls.len());
    for (name, error) in errors {
        assert_eq!(error, libc::EPERM, "{name}");
    }
}

#[test]
fn calls_that_libraries_try_first_do_not_exist() {
    let calls = [
        ("clone3", libc::SYS_clone3, ", 0, 0"),
        ("io_uring_setup", libc::SYS_io_uring_setup, ", 1, 0"),
        ("io_uring_enter", libc::SYS_io_uring_enter, ", 0, 0, 0, 0, 0, 0"),
        ("io_uring_register", libc::SYS_io_uring_register, ", 0, 0, 0, 0"),
        ("landlock_create_ruleset", libc::SYS_landlock_create_ruleset, ", 0, 0, 1"),
        ("unknown", 1900, ""),
    ];
    let errors = errors(&calls);
    assert_eq!(errors.len(), calls.len());
    for (name, error) in errors {
        assert_eq!(error, libc::ENOSYS, "{name}");
    }
}

#[test]
fn only_sockets_that_the_door_understands_are_made() {
    let families = [
        ("netlink", libc::AF_NETLINK, libc::SOCK_RAW, 0),
        ("packet", libc::AF_PACKET, libc::SOCK_RAW, 0),
        ("vsock", libc::AF_VSOCK, libc::SOCK_STREAM, 0),
        ("alg", libc::AF_ALG, libc::SOCK_SEQPACKET, 0),
        ("raw", libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_TCP),
        ("icmp", libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP),
        ("icmp6", libc::AF_INET6, libc::SOCK_DGRAM, libc::IPPROTO_ICMPV6),
        ("mptcp", libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP),
        ("sctp", libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_SCTP),
        ("mptcp_high_bits", libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, libc::IPPROTO_MPTCP),
        ("bluetooth", libc::AF_BLUETOOTH, libc::SOCK_STREAM, 0),
    ];
    let calls: Vec<_> = families
        .iter()
        .map(|(name, family, kind, protocol)| (*name, libc::SYS_socket, format!(", {family}, {kind}, {protocol}")))
        .collect();
    let calls: Vec<_> = calls.iter().map(|(name, number, arguments)| (*name, *number, arguments.as_str())).collect();
    let errors = errors(&calls);
    assert_eq!(errors.len(), calls.len());
    for (name, error) in errors {
        assert!([libc::EAFNOSUPPORT, libc::EPROTONOSUPPORT].contains(&error), "{name}: {error}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn calls_of_another_numbering_are_refused_and_reported() {
    // getpid as an x32 program would call it; the second is no call at all.
    let output = run(&["reports"], "perl -e '$r = syscall(0x40000000 | 39); printf(\"%d %d\", $r, $!); syscall(0xffffffff)'");
    assert_eq!(text(&output), format!("-1 {}", libc::ENOSYS));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("call x32:39\n") && said.contains("call x32:3221225471\n"), "{said}");
    // The same by the gate of 32-bit programs: exit, which would end the process; and getpid, twice.
    let source = r#"int call(int n){int r;__asm__ volatile("int $0x80":"=a"(r):"a"(n),"b"(0));return r;}
        int main(){return call(1)==-38&&call(20)==-38&&call(20)==-38?42:1;}"#;
    let script = format!("cd /tmp && printf '%s' '{source}' > i386.c && gcc -o i386 i386.c && exec ./i386");
    let output = run(&["reports"], &script);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(42), "{said}");
    // Twice: once at once, once counted.
    assert!(said.contains("call i386:1\n") && said.matches("call i386:20\n").count() == 2, "{said}");
}

#[test]
fn a_device_is_refused_and_reported_wherever_it_would_have_been() {
    let calls = format!("$n = q(d); $r = syscall({}, -100, $n, 0020600, 0x103); printf(\"%d %d\", $r, $!)", libc::SYS_mknodat);
    let output = run(&["observe", "reports"], &format!("cd /tmp && perl -e '{calls}'"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(text(&output), format!("-1 {}", libc::EPERM), "{said}");
    assert!(said.contains("call mknodat\n"), "{said}");
}

#[test]
fn programs_run() {
    let scripts = [
        ("/bin/sh", "echo $((40 + 2)) | cat"),
        ("/usr/bin/perl", "perl -e 'print 42, qq(\\n)'"),
        ("/usr/bin/python3", "python3 -c 'import threading, subprocess, socket, json; subprocess.check_call([\"echo\", \"42\"])'"),
        (
            "/usr/bin/node",
            "node -e 'new Worker(\"1\", {eval: true}); console.log(42); const {Worker} = require(\"worker_threads\")' || node -e 'console.log(42)'",
        ),
        (
            "/usr/bin/git",
            "cd /tmp && git init -q r && cd r && git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m 42 && git log --format=%s",
        ),
        ("/usr/bin/gcc", "cd /tmp && printf '#include <stdio.h>\\nint main(){puts(\"42\");}' > a.c && gcc -o a a.c && ./a"),
    ];
    for (program, script) in scripts.into_iter().filter(|(program, _)| std::path::Path::new(program).exists()) {
        for options in [&[][..], &["observe"]] {
            let output = run(options, script);
            assert!(text(&output).contains("42"), "{program} {options:?}: {}", text(&output));
        }
    }
}
