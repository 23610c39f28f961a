use super::*;

#[test]
fn what_is_no_timeline_is_refused() {
    for text in ["", "x", "1\tstep", "1\tstep\t", "1\tstep\t2\t", "-1"] {
        assert_eq!(Timeline::decode(text), None, "{text:?}");
    }
    let endless = format!("1{}", "\tstep\t2".repeat(STEPS_MAX + 1));
    assert_eq!(Timeline::decode(&endless), None);
}

#[test]
fn timelines_survive_and_have_a_bound() {
    let mut timeline = Timeline::begin();
    for _ in 0..=STEPS_MAX {
        timeline.done("build the root");
    }
    assert_eq!(timeline.steps.len(), STEPS_MAX);
    let times: Vec<u64> = [timeline.began_ns].into_iter().chain(timeline.steps.iter().map(|(_, done)| *done)).collect();
    assert!(times.is_sorted() && times[0] > 0);
    assert_eq!(Timeline::decode(&timeline.encode()), Some(timeline));
}
