use crate::sample;
use evidence::{LOG_FILE, Log};

#[test]
fn room_for_a_log_is_no_log_yet() {
    let place = tempfile::tempdir().unwrap();
    let (folder, keys) = (place.path().join("logs/log"), sample::keys(place.path()));
    Log::make_room(&folder, &keys).unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>(), ["log.vkey"]);
    assert!(Log::make_room(&folder, &sample::keys(&place.path().join("elsewhere"))).is_err());
    Log::open(&folder, keys, sample::clock()).unwrap().append(&[sample::started()]).unwrap();
    assert_eq!(evidence::read(&folder).unwrap().count(), 1);
    assert!(folder.join(LOG_FILE).exists());
}
