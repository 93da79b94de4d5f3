//! The codes and names of the invariants.

macro_rules! codes {
    (=> $($code:ident $name:literal $runs:ident $module:ident;)*) => {
        /// Something that must hold in every run; see `docs/invariants.md`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Invariant {
            $(#[doc = $name] $code,)*
        }

        impl Invariant {
            /// Every invariant, in order.
            pub const ALL: &'static [Invariant] = &[$(Invariant::$code),*];

            /// Its code, such as `I15`.
            pub const fn code(self) -> &'static str {
                match self { $(Invariant::$code => stringify!($code),)* }
            }

            /// Its name, such as `no-callback-from-trash`.
            pub const fn name(self) -> &'static str {
                match self { $(Invariant::$code => $name,)* }
            }
        }
    };
}

invariants! { codes! }

/// Room for so many invariants in masks.
const MAX: usize = 128;

const _: () = assert!(Invariant::COUNT <= MAX);

impl Invariant {
    /// How many there are.
    pub const COUNT: usize = Invariant::ALL.len();

    /// The invariant with the given code or name, in either case.
    pub fn parse(text: &str) -> Option<Invariant> {
        let text = text.trim();
        Invariant::ALL
            .iter()
            .copied()
            .find(|i| i.code().eq_ignore_ascii_case(text) || i.name().eq_ignore_ascii_case(text))
    }
}

impl std::fmt::Display for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code(), self.name())
    }
}
