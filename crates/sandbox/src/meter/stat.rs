/// Of a process, what proc_pid_stat(5) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) threads: u64,
    pub(super) resident_pages: u64,
    /// Processor time of its own, in clock ticks.
    pub(super) ticks: u64,
    /// That of ended children that it waited for.
    pub(super) ticks_of_children: u64,
    /// When it started, in clock ticks since the machine did.
    pub(super) start: u64,
}

impl Stat {
    /// None if the text is no such line. The name in it may hold anything, closing brackets too.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(") ")?;
        // The third field, the state, is the first here.
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<u64>().ok());
        // Times of children that were never waited for are printed as signed numbers.
        let ticks_of_children = number(16).unwrap_or(0) + number(17).unwrap_or(0);
        Some(Self {
            threads: number(20)?,
            resident_pages: number(24)?,
            ticks: number(14)? + number(15)?,
            ticks_of_children,
            start: number(22)?,
        })
    }
}
