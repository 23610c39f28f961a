use schema::{DataClass, DataClasses};

/// How sure a kind is of itself where findings overlap: the higher one names the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Context and shape.
    Context,
    /// A grammar without a checksum.
    Grammar,
    /// A checksum, a fixed prefix or a decoded structure.
    Proven,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $tag:literal, $rank:ident, [$($class:ident),*] => [$($after:ident),*];)*) => {
        /// What a finding is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $variant,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in policies, events and reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its name inside a placeholder: `[A-Z_]` only.
            pub const fn tag(self) -> &'static str {
                match self { $(Self::$variant => $tag,)* }
            }

            /// The classes of data that such a value is.
            pub fn classes(self) -> DataClasses {
                match self { $(Self::$variant => [$(DataClass::$class,)*].into_iter().collect(),)* }
            }

            /// The classes that its placeholder still is: pseudonymised personal data stays personal (GDPR recital 26).
            pub fn after_masking(self) -> DataClasses {
                match self { $(Self::$variant => [$(DataClass::$after,)*].into_iter().collect(),)* }
            }

            pub(crate) const fn rank(self) -> Rank {
                match self { $(Self::$variant => Rank::$rank,)* }
            }
        }
    };
}

kinds! {
    /// An e-mail address (RFC 5321, RFC 6531).
    Email = "email", "EMAIL", Grammar, [Personal] => [Personal];
    /// A telephone number (ITU-T E.164 or a national form).
    Phone = "phone", "PHONE", Context, [Personal] => [Personal];
    /// An IBAN (ISO 13616).
    Iban = "iban", "IBAN", Proven, [Personal, Financial] => [Personal];
    /// A payment card's number (ISO/IEC 7812).
    Card = "card", "CARD", Proven, [Personal, Financial, Cardholder] => [Personal];
    /// A United States social security number.
    UsSsn = "us_ssn", "US_SSN", Grammar, [Personal] => [Personal];
    /// A United States individual taxpayer identification number.
    UsItin = "us_itin", "US_ITIN", Grammar, [Personal] => [Personal];
    /// A United Kingdom national insurance number.
    UkNino = "uk_nino", "UK_NINO", Grammar, [Personal] => [Personal];
    /// A United Kingdom NHS number.
    UkNhs = "uk_nhs", "UK_NHS", Proven, [Personal, Health] => [Personal];
    /// A German tax identification number (§ 139b AO).
    DeSteuerId = "de_steuer_id", "DE_STEUER_ID", Proven, [Personal] => [Personal];
    /// A German pension insurance number (§ 147 SGB VI).
    DeRvnr = "de_rvnr", "DE_RVNR", Proven, [Personal] => [Personal];
    /// A French social security number (NIR).
    FrNir = "fr_nir", "FR_NIR", Proven, [Personal] => [Personal];
    /// A key or token of a named service.
    ApiKey = "api_key", "API_KEY", Proven, [Credential] => [];
    /// A value assigned to a name that says password, token, secret or key.
    Secret = "secret", "SECRET", Context, [Credential] => [];
    /// A private key (RFC 7468, OpenSSH, OpenPGP).
    PrivateKey = "private_key", "PRIVATE_KEY", Proven, [Credential] => [];
    /// A JSON web token (RFC 7519).
    Jwt = "jwt", "JWT", Proven, [Credential] => [];
}
