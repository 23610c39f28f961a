use crate::sample;
use evidence::{BATCH_EVENTS_MAX, Error, Log, Writer};
use schema::Event;

fn events(path: &std::path::Path) -> Vec<Event> {
    evidence::read(path).unwrap().map(|record| record.unwrap().event).collect()
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let place = tempfile::tempdir().unwrap();
    let first = sample::log(place.path());
    let again = || Log::open(&place.path().join("log"), sample::keys(place.path()), sample::clock());
    assert!(matches!(again(), Err(Error::Locked { .. })));
    drop(first);
    again().unwrap();
}

#[test]
fn another_key_is_refused_and_the_log_stays_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    sample::log(place.path()).append(&[sample::started()]).unwrap();
    let before = std::fs::read(place.path().join("log/log.jsonl")).unwrap();
    let other = sample::keys(&place.path().join("elsewhere"));
    assert!(matches!(Log::open(&place.path().join("log"), other, sample::clock()), Err(Error::KeyChanged { .. })));
    assert_eq!(std::fs::read(place.path().join("log/log.jsonl")).unwrap(), before);
}

#[test]
fn an_empty_or_oversized_batch_is_refused_and_does_not_poison() {
    let place = tempfile::tempdir().unwrap();
    let mut log = sample::log(place.path());
    assert!(matches!(log.append(&[]), Err(Error::BatchSize { events: 0 })));
    assert!(matches!(log.append(&vec![sample::ended(); BATCH_EVENTS_MAX + 1]), Err(Error::BatchSize { .. })));
    let Event::CallAuthorised(mut large) = sample::authorised(1) else { unreachable!() };
    large.rules = vec![sample::token(&"r".repeat(128)); 400];
    assert!(matches!(log.append(&[Event::CallAuthorised(large)]), Err(Error::TooLarge { .. })));
    assert_eq!(log.append(&[sample::started()]).unwrap().value(), 0);
}

#[test]
fn appended_events_come_back_in_order_and_the_log_goes_on_after_reopening() {
    let place = tempfile::tempdir().unwrap();
    let mut log = sample::log(place.path());
    assert_eq!(log.append(&[sample::started(), sample::authorised(1)]).unwrap().value(), 1);
    drop(log);
    let mut log = sample::log(place.path());
    assert_eq!(log.append(&[sample::completed(1), sample::ended()]).unwrap().value(), 3);
    let expected = [sample::started(), sample::authorised(1), sample::completed(1), sample::ended()];
    assert_eq!(events(&place.path().join("log")), expected);
    let indices: Vec<u64> = evidence::read(log.path()).unwrap().map(|record| record.unwrap().index).collect();
    assert_eq!(indices, [0, 1, 2, 3]);
}

#[test]
fn a_client_and_the_handle_are_told_where_their_events_stand() {
    let place = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(sample::log(place.path()));
    let client = evidence::Client::new(writer.add_client().unwrap()).unwrap();
    let handle = writer.run().unwrap();
    assert_eq!(handle.append(sample::started()).unwrap().value(), 0);
    assert_eq!(client.append(sample::authorised(1)).unwrap().value(), 1);
    handle.shutdown().unwrap();
    assert!(matches!(client.append(sample::completed(1)), Err(Error::Unavailable)));
    assert_eq!(events(&place.path().join("log")).len(), 2);
}
