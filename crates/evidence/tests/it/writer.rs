//! The thread that writes, against clients and sources that do not behave.

use crate::sample;
use evidence::{Client, Error, Source, Writer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use schema::Event;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How long something may take that takes no time.
const PATIENCE: Timespec = Timespec { tv_sec: 20, tv_nsec: 0 };

fn events(place: &std::path::Path) -> Vec<Event> {
    evidence::read(&place.join("log")).unwrap().map(|record| record.unwrap().event).collect()
}

/// Whether the other end was closed, once it has something to say.
fn is_closed(socket: &OwnedFd) -> bool {
    poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&PATIENCE)).unwrap();
    matches!(recv(socket, &mut [0_u8; 64][..], RecvFlags::DONTWAIT), Ok((0, _)) | Err(rustix::io::Errno::CONNRESET))
}

#[test]
fn a_client_that_sends_no_event_is_told_and_nothing_of_it_is_written() {
    let place = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(sample::log(place.path()));
    let hostile = writer.add_client().unwrap();
    let handle = writer.run().unwrap();
    for json in ["", "{", "{}", "null", r#"{"type":"no.such"}"#, r#"{"type":"log.recovered","bytes_dropped":1,"trust":"self","more":1}"#] {
        send(&hostile, &[&[7; 8], json.as_bytes()].concat(), SendFlags::NOSIGNAL).unwrap();
        poll(&mut [PollFd::new(&hostile, PollFlags::IN)], Some(&PATIENCE)).unwrap();
        let mut answer = [0_u8; 64];
        let (length, _) = recv(&hostile, &mut answer[..], RecvFlags::DONTWAIT).unwrap();
        // The number that it gave, and the code of what is no event.
        assert_eq!(answer[..length], [&[7; 8][..], &[1], &[0; 8]].concat(), "{json}");
    }
    assert_eq!(handle.append(sample::started()).unwrap().value(), 0);
    handle.shutdown().unwrap();
    assert_eq!(events(place.path()), [sample::started()]);
}

#[test]
fn a_client_that_sends_anything_else_is_cut_off_and_the_others_are_served() {
    // The beginning of the last one is an event; what follows is not looked at by whoever takes the beginning alone.
    let event = br#"{"type":"log.recovered","bytes_dropped":1,"trust":"self"}"#;
    for datagram in [vec![1, 2, 3], b" ".repeat(64 * 1024), [&[7; 8][..], event, &b" ".repeat(64 * 1024), b"}"].concat()] {
        let place = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(sample::log(place.path()));
        let (hostile, other) = (writer.add_client().unwrap(), Client::new(writer.add_client().unwrap()).unwrap());
        let handle = writer.run().unwrap();
        send(&hostile, &datagram, SendFlags::NOSIGNAL).unwrap();
        assert!(is_closed(&hostile), "{} bytes", datagram.len());
        assert_eq!(other.append(sample::started()).unwrap().value(), 0);
        handle.shutdown().unwrap();
    }
}

/// Events that wait once its pipe is readable, or a failure.
struct Waiting {
    pipe: OwnedFd,
    events: Vec<Event>,
    fails: bool,
}

impl Source for Waiting {
    fn fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    fn drain(&mut self) -> Result<Vec<Event>, Error> {
        let waits = poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() > 0;
        if waits && self.fails {
            return Err(Error::SourceFailed { reason: "it fails" });
        }
        if waits { Ok(std::mem::take(&mut self.events)) } else { Ok(Vec::new()) }
    }
}

#[test]
fn what_a_source_saw_before_a_call_stands_before_it() {
    let place = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(sample::log(place.path()));
    let (pipe, mut seen) = std::io::pipe().unwrap();
    writer.add_source(Box::new(Waiting { pipe: pipe.into(), events: vec![sample::file_refused(), sample::started()], fails: false }));
    let handle = writer.run().unwrap();
    seen.write_all(b"x").unwrap();
    assert_eq!(handle.append(sample::authorised(1)).unwrap().value(), 2);
    handle.shutdown().unwrap();
    assert_eq!(events(place.path()), [sample::file_refused(), sample::started(), sample::authorised(1)]);
}

#[test]
fn a_source_that_fails_closes_the_log_and_refuses_whoever_waits() {
    let place = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(sample::log(place.path()));
    let (pipe, mut seen) = std::io::pipe().unwrap();
    writer.add_source(Box::new(Waiting { pipe: pipe.into(), events: Vec::new(), fails: true }));
    let client = Client::new(writer.add_client().unwrap()).unwrap();
    let handle = writer.run().unwrap();
    assert_eq!(handle.append(sample::started()).unwrap().value(), 0);
    seen.write_all(b"x").unwrap();
    assert!(matches!(client.append(sample::authorised(1)), Err(Error::Unavailable)));
    poll(&mut [PollFd::from_borrowed_fd(handle.lifeline(), PollFlags::empty())], Some(&PATIENCE)).unwrap();
    assert!(matches!(handle.append(sample::ended()), Err(Error::Unavailable)));
    assert!(matches!(handle.shutdown(), Err(Error::SourceFailed { .. })));
    assert_eq!(events(place.path()), [sample::started()]);
}

#[test]
fn everything_that_was_sent_before_the_end_is_written() {
    let place = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(sample::log(place.path()));
    let client = Client::new(writer.add_client().unwrap()).unwrap();
    let handle = writer.run().unwrap();
    let others: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || (0..50).map(|_| client.append(sample::ended()).unwrap().value()).collect::<Vec<_>>())
        })
        .collect();
    let mut places: Vec<u64> = others.into_iter().flat_map(|other| other.join().unwrap()).collect();
    handle.shutdown().unwrap();
    places.sort_unstable();
    // Each was told a place of its own, and stands there.
    assert_eq!(places, (0..200).collect::<Vec<_>>());
    assert_eq!(events(place.path()).len(), 200);
}
