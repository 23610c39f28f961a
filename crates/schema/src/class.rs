use serde::{Deserialize, Serialize};

/// A kind of data that policy speaks about. Content carries a set of them ([`DataClasses`]); they have no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataClass {
    /// Relates to an identifiable person (GDPR Art. 4(1)); also pseudonymised (Art. 4(5), recital 26).
    Personal,
    /// GDPR Art. 9.
    SpecialCategory,
    /// Health data (HIPAA PHI, GDPR Art. 4(15)).
    Health,
    /// PCI DSS account data.
    Cardholder,
    /// Account numbers, trades, holdings.
    Financial,
    /// Secrets that grant access.
    Credential,
    /// Comes from a client's document.
    ClientDocument,
    /// Could not be scanned (images, archives, encrypted content).
    Opaque,
}

impl DataClass {
    /// Every class, in the order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Personal,
        Self::SpecialCategory,
        Self::Health,
        Self::Cardholder,
        Self::Financial,
        Self::Credential,
        Self::ClientDocument,
        Self::Opaque,
    ];

    /// The class's name in policies, events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::SpecialCategory => "special_category",
            Self::Health => "health",
            Self::Cardholder => "cardholder",
            Self::Financial => "financial",
            Self::Credential => "credential",
            Self::ClientDocument => "client_document",
            Self::Opaque => "opaque",
        }
    }

    /// The class of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of [`DataClass`]. The empty set is `general`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<DataClass>", into = "Vec<DataClass>")]
pub struct DataClasses(u8);

impl DataClasses {
    /// No class at all: `general`.
    pub const GENERAL: Self = Self(0);

    /// A set of one.
    pub const fn only(class: DataClass) -> Self {
        Self(class.bit())
    }

    /// Adds a class.
    pub fn insert(&mut self, class: DataClass) {
        self.0 |= class.bit();
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set less `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `class` is in the set.
    pub const fn contains(self, class: DataClass) -> bool {
        self.0 & class.bit() != 0
    }

    /// Whether the set is empty (`general`).
    pub const fn is_general(self) -> bool {
        self.0 == 0
    }

    /// The classes in the order of declaration.
    pub fn iter(self) -> impl Iterator<Item = DataClass> {
        DataClass::ALL.into_iter().filter(move |class| self.contains(*class))
    }
}

impl FromIterator<DataClass> for DataClasses {
    fn from_iter<I: IntoIterator<Item = DataClass>>(classes: I) -> Self {
        let mut set = Self::GENERAL;
        classes.into_iter().for_each(|class| set.insert(class));
        set
    }
}

impl From<Vec<DataClass>> for DataClasses {
    fn from(classes: Vec<DataClass>) -> Self {
        classes.into_iter().collect()
    }
}

impl From<DataClasses> for Vec<DataClass> {
    fn from(classes: DataClasses) -> Self {
        classes.iter().collect()
    }
}

impl std::fmt::Display for DataClasses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_general() {
            return f.write_str("general");
        }
        let names: Vec<_> = self.iter().map(DataClass::name).collect();
        f.write_str(&names.join(", "))
    }
}

impl std::fmt::Debug for DataClasses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{{self}}}")
    }
}

/// Content whose data classes have been established.
pub trait Classified {
    /// What was found in it as it came.
    fn classes_before(&self) -> DataClasses;
    /// What it still carries after masking; pseudonymised personal data is still `personal`.
    fn classes_after(&self) -> DataClasses;
    /// How many values were masked.
    fn values_masked(&self) -> usize;
}
