//! Keys of named services: a fixed prefix, an alphabet and lengths.

use super::value::entropy;
use crate::{Kind, finding::Sink, text::Text};

/// The letters of a key's body.
#[derive(Clone, Copy)]
pub(super) enum Body {
    Hex,
    Upper,
    Alnum,
    Word,
    Dense,
}

/// One kind of key.
pub(super) struct Provider {
    pub(super) prefix: &'static str,
    body: Body,
    min: usize,
    max: usize,
}

const fn key(prefix: &'static str, body: Body, min: usize, max: usize) -> Provider {
    Provider { prefix, body, min, max }
}

use Body::{Alnum, Dense, Hex, Upper, Word};

/// From the services' own documentation.
pub(super) static PROVIDERS: &[Provider] = &[
    key("AKIA", Upper, 16, 16),
    key("ASIA", Upper, 16, 16),
    key("ABIA", Upper, 16, 16),
    key("ACCA", Upper, 16, 16),
    key("ABSK", Dense, 100, 200),
    key("ghp_", Alnum, 36, 36),
    key("gho_", Alnum, 36, 36),
    key("ghu_", Alnum, 36, 36),
    key("ghs_", Alnum, 36, 255),
    key("ghr_", Alnum, 36, 76),
    key("github_pat_", Word, 40, 120),
    key("glpat-", Dense, 20, 120),
    key("gldt-", Word, 20, 64),
    key("glrt-", Dense, 20, 120),
    key("glptt-", Word, 40, 64),
    key("glcbt-", Word, 20, 80),
    key("glagent-", Word, 50, 80),
    key("gloas-", Word, 40, 80),
    key("glft-", Word, 20, 64),
    key("glsoat-", Word, 20, 64),
    key("glimt-", Word, 20, 64),
    key("glffct-", Word, 20, 64),
    key("GR1348941", Word, 20, 40),
    key("xoxb-", Word, 20, 120),
    key("xoxp-", Word, 20, 160),
    key("xoxa-", Word, 20, 160),
    key("xoxs-", Word, 20, 160),
    key("xoxr-", Word, 20, 160),
    key("xoxe-", Word, 20, 200),
    key("xoxe.", Dense, 20, 240),
    key("xoxd-", Dense, 20, 240),
    key("xapp-", Word, 20, 160),
    key("hooks.slack.com/services/", Dense, 40, 80),
    key("sk_live_", Alnum, 10, 120),
    key("sk_test_", Alnum, 10, 120),
    key("sk_prod_", Alnum, 10, 120),
    key("rk_live_", Alnum, 10, 120),
    key("rk_test_", Alnum, 10, 120),
    key("rk_prod_", Alnum, 10, 120),
    key("whsec_", Dense, 24, 80),
    key("sk-ant-", Word, 24, 160),
    key("sk-proj-", Word, 24, 200),
    key("sk-svcacct-", Word, 24, 200),
    key("sk-admin-", Word, 24, 200),
    key("sk-", Alnum, 40, 120),
    key("AIza", Word, 35, 35),
    key("ya29.", Word, 20, 400),
    key("GOCSPX-", Word, 24, 40),
    key("npm_", Alnum, 36, 36),
    key("pypi-", Word, 40, 250),
    key("SG.", Dense, 60, 70),
    key("SK", Hex, 32, 32),
    key("hf_", Alnum, 34, 40),
    key("api_org_", Alnum, 34, 34),
    key("gsk_", Alnum, 50, 56),
    key("pplx-", Alnum, 40, 56),
    key("shpat_", Hex, 32, 32),
    key("shpca_", Hex, 32, 32),
    key("shppa_", Hex, 32, 32),
    key("shpss_", Hex, 32, 32),
    key("dop_v1_", Hex, 64, 64),
    key("doo_v1_", Hex, 64, 64),
    key("dor_v1_", Hex, 64, 64),
    key("hvs.", Word, 80, 200),
    key("hvb.", Word, 100, 300),
    key("dapi", Hex, 32, 32),
    key("glsa_", Word, 36, 60),
    key("glc_", Dense, 32, 400),
    key("NRAK-", Alnum, 27, 27),
    key("NRII-", Word, 32, 32),
    key("NRJS-", Hex, 19, 19),
    key("PMAK-", Word, 50, 64),
    key("rubygems_", Hex, 48, 48),
    key("dp.pt.", Alnum, 40, 44),
    key("lin_api_", Alnum, 40, 40),
    key("sntrys_", Dense, 60, 400),
    key("sntryu_", Hex, 64, 64),
    key("pscale_", Dense, 32, 80),
    key("pul-", Hex, 40, 40),
    key("ntn_", Alnum, 40, 50),
    key("EZAK", Alnum, 54, 54),
    key("EZTK", Alnum, 54, 54),
    key("shippo_", Word, 40, 50),
    key("FLWSECK_TEST-", Word, 12, 40),
    key("FLWPUBK_TEST-", Word, 12, 40),
    key("CLOJARS_", Alnum, 60, 60),
    key("key-", Hex, 32, 32),
    key("pubkey-", Hex, 32, 32),
    key("dckr_pat_", Word, 27, 40),
    key("dckr_oat_", Word, 27, 40),
    key("tskey-", Word, 20, 80),
    key("xkeysib-", Word, 60, 90),
    key("sm_aat_", Alnum, 16, 16),
    key("sm_pat_", Alnum, 16, 16),
    key("sm_sat_", Alnum, 16, 16),
    key("ico-", Alnum, 32, 32),
    key("dt0c01.", Dense, 80, 100),
    key("sha256~", Word, 43, 43),
    key("fio-u-", Dense, 64, 64),
    key("ops_eyJ", Dense, 200, 4096),
    key("AGE-SECRET-KEY-1", Upper, 58, 58),
    key("AKCp", Alnum, 69, 69),
    key("duffel_", Dense, 40, 60),
    key("sbp_", Hex, 40, 40),
    key("sb_secret_", Word, 20, 50),
    key("EAACEdEose0cBA", Alnum, 20, 300),
    key("LTAI", Alnum, 20, 20),
    key("AccountKey=", Dense, 86, 88),
    key("v1.0-", Word, 146, 171),
    key("vck_", Alnum, 40, 64),
    key("sgp_", Word, 40, 60),
    key("cfut_", Alnum, 40, 64),
    key("phx_", Alnum, 40, 60),
    key("SWMTKN-1-", Word, 70, 90),
    key("CCIPAT_", Word, 40, 80),
    key("mdb_sa_sk_", Alnum, 40, 40),
    key("xai-", Alnum, 70, 90),
    key("AQ.Ab8RN6", Word, 30, 60),
];

/// Looks at the prefix at `start`; the gate ignores case, a key does not.
pub(super) fn detect(text: Text<'_>, start: usize, provider: &Provider, sink: &mut Sink) {
    let body = start + provider.prefix.len();
    if text.slice(start, body) != provider.prefix.as_bytes() {
        return;
    }
    if provider.body_is_github() && has_github_check(text.slice(body, body + 36)) {
        sink.push(start, body + 36, Kind::ApiKey);
    }
    if !text.opens(start) {
        return;
    }
    let mut end = text.span(body, provider.max + 1, |byte| match provider.body {
        Body::Hex => byte.is_ascii_hexdigit(),
        Body::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        Body::Alnum => byte.is_ascii_alphanumeric(),
        Body::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        Body::Dense => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'='),
    });
    while end > body && matches!(text.at(end - 1), b'.' | b'-') {
        end -= 1;
    }
    let length = end - body;
    let whole = (provider.min..=provider.max).contains(&length) && text.closes(end);
    if whole && entropy(text.slice(body, end)) >= 2.0 {
        sink.push(start, end, Kind::ApiKey);
    }
}

impl Provider {
    fn body_is_github(&self) -> bool {
        matches!(self.prefix, "ghp_" | "gho_" | "ghu_" | "ghs_" | "ghr_")
    }
}

/// The last six characters are the CRC-32 of the first thirty in base 62: such a token is one wherever it stands.
fn has_github_check(body: &[u8]) -> bool {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((random, check)) = body.split_at_checked(30) else { return false };
    let crc = !random
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg())));
    let value =
        check.iter().try_fold(0_u64, |sum, byte| DIGITS.iter().position(|digit| digit == byte).map(|digit| sum * 62 + digit as u64));
    check.len() == 6 && value == Some(u64::from(crc))
}
