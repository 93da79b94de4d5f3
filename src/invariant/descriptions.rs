//! What every invariant says of itself, where one is asked for by its code.

use super::Invariant;
use super::description::Description;
use super::violation::Violation;
use crate::event::ObjId;
use crate::subject::Declaration;

macro_rules! description {
    (one $module:ident $code:ident) => {
        &<super::$module::$code as super::check::Check>::DESCRIPTION
    };
    (several $module:ident $code:ident) => {
        &super::differential::$module::DESCRIPTION
    };
}

macro_rules! descriptions {
    (=> $($code:ident $name:literal $runs:ident $module:ident;)*) => {
        impl Invariant {
            /// What is known of it.
            pub const fn about(self) -> &'static Description {
                match self { $(Invariant::$code => description!($runs $module $code),)* }
            }
        }
    };
}

invariants! { descriptions! }

impl Invariant {
    /// False if it rests on nothing: a violation of it is never the collector's fault.
    pub const fn promised(self) -> bool {
        !self.about().rests.is_empty()
    }

    /// True if the invariant can be judged of a subject that declares this.
    pub fn fits(self, declaration: &Declaration) -> bool {
        self.about().fits(declaration)
    }
}

impl Violation {
    /// A sentence for people; `names` gives the name of an object.
    pub fn describe(&self, names: &dyn Fn(ObjId) -> String) -> String {
        let mut text = String::new();
        let mut rest = self.invariant.about().sentence;
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            let name = |o: Option<ObjId>| o.map_or_else(|| "nothing".to_owned(), names);
            let (len, part) = match &rest[at..] {
                r if r.starts_with("{object}") => (8, name(self.object)),
                r if r.starts_with("{other}") => (7, name(self.other)),
                r if r.starts_with("{expected}") => (10, self.expected.to_string()),
                r if r.starts_with("{observed}") => (10, self.observed.to_string()),
                _ => (1, "{".to_owned()),
            };
            text.push_str(&part);
            rest = &rest[at + len..];
        }
        text.push_str(rest);
        let (code, name) = (self.invariant.code(), self.invariant.name());
        let mut line = format!("{code} {name} ({}, {}): {text}", self.class, self.phase);
        if let Some(why) = self.why {
            line.push_str(&format!(" [{}]", why.source()));
        }
        line
    }
}
