use super::split;

#[test]
fn the_last_name_keeps_its_slashes() {
    for (path, folder, last) in [
        ("a", "", "a"),
        ("a/", "", "a/"),
        ("/a", "/", "a"),
        ("a/b//", "a/", "b//"),
        ("//a//b", "//a//", "b"),
        ("/", "/", "/"),
        ("//", "/", "//"),
        ("a/..", "a/", ".."),
    ] {
        assert_eq!(split(path.as_bytes()), (folder.as_bytes(), last.as_bytes()), "{path}");
    }
}
