use super::*;
use rustix::pipe::pipe;

fn ends() -> (File, File) {
    let (read, write) = pipe().unwrap();
    (File::from(read), File::from(write))
}

#[test]
fn a_reader_that_went_away_breaks_the_senders_pipe() {
    let ((from, mut sender), (reader, to)) = (ends(), ends());
    drop(reader);
    sender.write_all(b"one").unwrap();
    // Returns although the sender still holds its end.
    copy(Way { from, to, when_gone: WhenGone::Stop, outflow: None });
    assert_eq!(sender.write(b"two").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn a_terminal_that_went_away_takes_what_comes() {
    let ((from, mut sender), (reader, to)) = (ends(), ends());
    drop(reader);
    let thread = std::thread::spawn(move || copy(Way { from, to, when_gone: WhenGone::Discard, outflow: None }));
    sender.write_all(&vec![0; 1 << 20]).unwrap();
    drop(sender);
    thread.join().unwrap();
}

#[test]
fn streams_that_others_made_non_blocking_lose_nothing() {
    let ((from, mut sender), (mut reader, to)) = (ends(), ends());
    for stream in [&from, &to] {
        rustix::io::ioctl_fionbio(stream, true).unwrap();
    }
    let thread = std::thread::spawn(move || copy(Way { from, to, when_gone: WhenGone::Stop, outflow: None }));
    let writing = std::thread::spawn(move || sender.write_all(&vec![7; 1 << 20]).unwrap());
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    writing.join().unwrap();
    thread.join().unwrap();
    assert_eq!(all, vec![7; 1 << 20]);
}
