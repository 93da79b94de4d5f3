//! Enums whose numbers others read: the binary form, the probe, the digests of event streams.

/// An enum of which every value has a number that never changes.
pub(crate) trait Numbered: Copy + 'static {
    /// Every value, in the order of its number. Append only.
    const VALUES: &'static [Self];

    /// Its number.
    fn number(self) -> u8;

    /// Its name, as it is declared.
    fn name(self) -> &'static str;

    /// The value with this number.
    #[inline]
    fn from_number(number: u8) -> Option<Self> {
        let first = Self::VALUES.first()?.number();
        Self::VALUES.get(usize::from(number.checked_sub(first)?)).copied()
    }
}

/// Declares such an enum. Numbers count up from the first value's, which is 0 unless it is given.
macro_rules! numbered {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $Name:ident {
            $($(#[$value_meta:meta])* $Value:ident $(= $number:literal)?,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        $visibility enum $Name {
            $($(#[$value_meta])* $Value $(= $number)?,)+
        }

        impl $Name {
            /// Every value, in the order of its number. Append only.
            $visibility const ALL: [$Name; [$(stringify!($Value)),+].len()] = [$($Name::$Value),+];
        }

        impl $crate::scenario::Numbered for $Name {
            const VALUES: &'static [$Name] = &$Name::ALL;

            #[inline]
            fn number(self) -> u8 {
                self as u8
            }

            fn name(self) -> &'static str {
                match self {
                    $($Name::$Value => stringify!($Value),)+
                }
            }
        }
    };
}

pub(crate) use numbered;
