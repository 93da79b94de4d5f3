//! Numbers of CPython releases, and spans of them.

/// The CPython release that a subject is, or imitates: what a verdict may call documented depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Release {
    /// 2 or 3.
    pub major: u8,
    /// 7, or 4 to 15.
    pub minor: u8,
    /// Patch number.
    pub patch: u8,
}

impl Release {
    /// A release by its numbers.
    pub const fn new(major: u8, minor: u8, patch: u8) -> Release {
        Release { major, minor, patch }
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The releases from one on and before another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The first one; nothing if it is the first of all.
    pub since: Option<Release>,
    /// The first one after it; nothing if there is none yet.
    pub until: Option<Release>,
}

/// Every release.
pub(super) const ALL: Span = Span { since: None, until: None };

/// The releases from this one on.
pub(super) const fn since(major: u8, minor: u8, patch: u8) -> Span {
    Span { since: Some(Release::new(major, minor, patch)), ..ALL }
}

/// The releases before this one.
pub(super) const fn until(major: u8, minor: u8, patch: u8) -> Span {
    ALL.until(major, minor, patch)
}

impl Span {
    /// Those of them before this one.
    pub(super) const fn until(self, major: u8, minor: u8, patch: u8) -> Span {
        Span { until: Some(Release::new(major, minor, patch)), ..self }
    }

    /// True if the release is one of them.
    pub fn has(self, release: Release) -> bool {
        self.since.is_none_or(|since| release >= since) && self.until.is_none_or(|until| release < until)
    }

    /// True if every release is one of them.
    pub fn is_all(self) -> bool {
        self == ALL
    }
}

impl std::fmt::Display for Span {
    /// `3.8.0 to before 3.15.0`, `from 3.8.0`, `before 3.8.0`, `every release`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.since, self.until) {
            (None, None) => f.write_str("every release"),
            (Some(since), None) => write!(f, "from {since}"),
            (None, Some(until)) => write!(f, "before {until}"),
            (Some(since), Some(until)) => write!(f, "{since} to before {until}"),
        }
    }
}

/// The releases of some spans.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Releases(&'static [Span]);

/// Every release.
pub(super) const EVERY: Releases = Releases(&[ALL]);

impl Releases {
    /// Those of these spans.
    pub(super) const fn of(spans: &'static [Span]) -> Releases {
        Releases(spans)
    }

    /// The spans, oldest first.
    pub const fn spans(self) -> &'static [Span] {
        self.0
    }

    /// True if the release is one of them.
    pub fn has(self, release: Release) -> bool {
        self.0.iter().any(|span| span.has(release))
    }

    /// True if every release is one of them.
    pub fn is_all(self) -> bool {
        self.0.iter().any(|span| span.is_all())
    }

    /// True if every release from 3.4 on is one of them, the first with the finalizers of PEP 442.
    pub fn has_all_of_pep442(self) -> bool {
        let first = Release::new(3, 4, 0);
        self.0.iter().any(|span| span.until.is_none() && span.since.is_none_or(|since| since <= first))
    }
}

impl std::fmt::Display for Releases {
    /// `before 3.8.7, 3.9.0 to before 3.9.1`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, span) in self.0.iter().enumerate() {
            write!(f, "{}{span}", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
