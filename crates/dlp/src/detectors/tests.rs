use proptest::prelude::*;

use super::*;
use crate::Kind;

fn found(text: &str) -> Vec<(Kind, &str)> {
    let mut out = Vec::new();
    Detectors::standard().find(text, &mut out).unwrap();
    out.into_iter().map(|finding| (finding.kind, text.get(finding.start..finding.end).unwrap())).collect()
}

#[test]
fn a_text_beyond_the_bound_is_refused() {
    let text = " ".repeat(bounds::TEXT_BYTES_MAX + 1);
    assert!(matches!(Detectors::standard().find(&text, &mut Vec::new()), Err(Error::TextTooLong { .. })));
}

#[test]
fn more_findings_than_the_bound_are_refused() {
    let text = "a@b.de ".repeat(bounds::FINDINGS_MAX + 1);
    assert_eq!(Detectors::standard().find(&text, &mut Vec::new()), Err(Error::TooManyFindings { max: bounds::FINDINGS_MAX }));
}

#[test]
fn what_machines_write_is_no_finding() {
    for text in [
        "23b151d9-6aa5-4773-9df0-e866530f325d",
        "78530f3b9e0e4f2ab0d62a2b1c9e8d7f6a5b4c3d",
        "2026-09-22T11:38:12Z",
        "1615688641962",
        "v2.4.6-rc.2",
        "192.168.100.200",
        "max_tokens: 4096",
        "integrity sha512-9dc0a4FQ2cs",
        "password = os.environ['DB_PASSWORD']",
        "token: string",
        "DE88 3704 0044 0532 0130 00",
        "4539148803436468",
        "666-12-3456",
        "tel 2026-03-11",
        "git@github.com:bailiwick/bailiwick.git",
        "icon@2x.png",
        "anthropic-beta: thinking-token-count-2026-05-13,another-tool-use-2025-11-20,effort-2025-11-24",
        "bypass: v1b2c3d4, compass=12ab34cd, pass_rate: 12ab34cd, pass = true, pw: later",
        "pub token: crate::__u32, Secrets::Aes128Gcm, token = tokens[1:-1], token_routes: \"/v1/skills\", key: '~/.oci/key2.pem'",
        "phone: see 94305-5015",
        "use --token-count 12ab34cd",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn each_kind_is_found() {
    for (text, kind, value) in [
        ("an erika@firma.example.", Kind::Email, "erika@firma.example"),
        ("DE89 3704 0044 0532 0130 00", Kind::Iban, "DE89 3704 0044 0532 0130 00"),
        ("pay 4539-1488-0343-6467 now", Kind::Card, "4539-1488-0343-6467"),
        ("Call me on +44(0)115 496 0898, ask", Kind::Phone, "+44(0)115 496 0898"),
        ("Tel. (0113) 496 0179", Kind::Phone, "(0113) 496 0179"),
        ("ssn 421-79-1418", Kind::UsSsn, "421-79-1418"),
        ("911-70-1234", Kind::UsItin, "911-70-1234"),
        ("WL 50 23 90 B", Kind::UkNino, "WL 50 23 90 B"),
        ("NHS number: 854 363 6868", Kind::UkNhs, "854 363 6868"),
        ("Steuer-ID 28134719515", Kind::DeSteuerId, "28134719515"),
        ("RV 15 070649 C 103", Kind::DeRvnr, "15 070649 C 103"),
        ("nir=271118392682292", Kind::FrNir, "271118392682292"),
        ("AKIANBDMPWDAL2TB6QCR", Kind::ApiKey, "AKIANBDMPWDAL2TB6QCR"),
        ("fax: 730.347.5681x8340, ask", Kind::Phone, "730.347.5681x8340"),
        ("4539\u{a0}1488\u{202f}0343\u{a0}6467", Kind::Card, "4539\u{a0}1488\u{202f}0343\u{a0}6467"),
        ("card 4\u{200b}111111111\u{ad}111111 now", Kind::Card, "4\u{200b}111111111\u{ad}111111"),
        ("to ｅｒｉｋａ＠ｆｉｒｍａ．ｅｘａｍｐｌｅ now", Kind::Email, "ｅｒｉｋａ＠ｆｉｒｍａ．ｅｘａｍｐｌｅ"),
        ("id: master pw: dipPr12Gg!", Kind::Secret, "dipPr12Gg!"),
        ("DB_PASS=x7Kq-92LmPz", Kind::Secret, "x7Kq-92LmPz"),
        ("run --api-token Zx81-Qw93-Lk", Kind::Secret, "Zx81-Qw93-Lk"),
        ("setPassword(\"password\", \"hunter2-Xk9\")", Kind::Secret, "hunter2-Xk9"),
        ("password = \"hunter2-Xk9\"", Kind::Secret, "hunter2-Xk9"),
        ("postgres://app:s3cr3tpw@db/x", Kind::Secret, "s3cr3tpw"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", Kind::Jwt, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"),
    ] {
        assert_eq!(found(text), [(kind, value)], "{text}");
    }
}

#[test]
fn a_private_key_is_one_finding_on_one_line_or_many() {
    for newline in ["\n", "\\n"] {
        let key = ["-----BEGIN EC PRIVATE KEY-----", "MHcCAQEEIAsynthetic", "-----END EC PRIVATE KEY-----"].join(newline);
        assert_eq!(found(&format!("k: {key} end")), [(Kind::PrivateKey, key.as_str())]);
    }
}

proptest! {
    #[test]
    fn findings_are_sorted_apart_and_on_character_boundaries(
        text in "(\\PC{0,8}|[0-9 .()+/-]{0,24}|@[a-zé.]{0,6}|token=|eyJ|-----BEGIN |://u:|DE89|sk-){0,12}"
    ) {
        let mut out = Vec::new();
        Detectors::standard().find(&text, &mut out).unwrap();
        let mut last = 0;
        for finding in out {
            prop_assert!(finding.start >= last && finding.start < finding.end && finding.end <= text.len());
            prop_assert!(text.is_char_boundary(finding.start) && text.is_char_boundary(finding.end));
            last = finding.end;
        }
    }
}
