use crate::sample;
use evidence::{LOG_FILE, Log};

#[test]
fn room_for_a_log_is_no_log_yet() {
    let place = tempfile::tempdir().unwrap();
    let (folder, keys) = (place.path().join("logs/log"), sample::keys(place.path()));
    Log::make_room(&folder, &keys).unwrap();
    assert!(!folder.join(LOG_FILE).exists());
    assert!(evidence::log_directories(folder.parent().unwrap()).unwrap().is_empty());
    assert!(Log::make_room(&folder, &sample::keys(&place.path().join("elsewhere"))).is_err());
    Log::open(&folder, keys, sample::clock()).unwrap().append(&[sample::started()]).unwrap();
    assert_eq!(evidence::read(&folder).unwrap().count(), 1);
    assert!(folder.join(LOG_FILE).exists());
}

#[test]
fn room_that_holds_anything_else_is_made_anew() {
    let place = tempfile::tempdir().unwrap();
    let much = vec![0; 200_000];
    for (number, spoil) in [&b"x"[..], &much, b"\n{}\n", b""].into_iter().enumerate() {
        let (folder, keys) = (place.path().join(format!("log{number}")), sample::keys(place.path()));
        Log::make_room(&folder, &keys).unwrap();
        let next = folder.join("log.jsonl.next");
        let mut bytes = std::fs::read(&next).unwrap();
        bytes.extend(spoil);
        if spoil.is_empty() {
            bytes.truncate(10);
        }
        std::fs::write(&next, bytes).unwrap();
        Log::open(&folder, keys, sample::clock()).unwrap().append(&[sample::started()]).unwrap();
        let events: Vec<_> = evidence::read(&folder).unwrap().map(|record| record.unwrap().event).collect();
        assert_eq!(events, [sample::started()]);
        assert!(!next.exists());
    }
}
