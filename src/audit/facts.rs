//! What the driver in the interpreter writes: one JSON object per line.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A line of the driver.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// A module is being imported.
    Importing {
        /// Its name.
        module: String,
    },
    /// A recipe is being run.
    Recipe {
        /// Its file, without the folder.
        path: String,
    },
    /// A package cannot be imported: the end.
    NoImport {
        /// Its name.
        package: String,
        /// The exception.
        error: String,
    },
    /// A module of the standard library cannot be imported here.
    LeftOut {
        /// Its name.
        module: String,
        /// The exception.
        error: String,
    },
    /// A recipe failed: the end.
    BadRecipe {
        /// The file.
        path: String,
        /// The line, or 0.
        line: u32,
        /// The exception.
        error: String,
    },
    /// A package was imported.
    Package {
        /// Its name.
        package: String,
        /// Its version, or nothing.
        version: String,
    },
    /// The audit begins.
    Begin {
        /// How many types there are.
        types: u32,
        /// How many threads the process has: copies of it have one.
        threads: u32,
    },
    /// An object of a type is about to be looked at.
    At {
        /// The type.
        #[serde(rename = "type")]
        type_name: String,
    },
    /// An object was looked at.
    Sample(Sample),
    /// All objects of a type were looked at.
    Type {
        /// Its name.
        #[serde(rename = "type")]
        name: String,
        /// The file that it comes from, without the folder.
        library: String,
        /// How many objects were looked at.
        tried: u32,
        /// It has `Py_TPFLAGS_HAVE_GC`.
        gc: u8,
        /// It is a heap type.
        heap: u8,
        /// The types that it inherits from, nearest first.
        bases: Vec<String>,
    },
    /// The driver itself failed.
    DriverFailed {
        /// The exception.
        error: String,
        /// Its line.
        line: u32,
    },
    /// The end.
    End,
}

/// One object, and the deaths that it died.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Sample {
    /// Its type, or the C type that its class in Python comes from.
    #[serde(rename = "type")]
    pub type_name: String,
    /// `recipe`, `heap` or `auto`.
    pub source: String,
    /// The arguments that it was made with, if the audit made it.
    pub made: String,
    /// What was seen, by what was done: `death`, `order`, `clear`, `weak`, `inside`.
    pub ways: BTreeMap<String, Death>,
}

/// One death, as the copy of the process told it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Death {
    /// How the copy ended: 0, the number of a signal, or -1 if its time was over.
    pub status: i32,
    /// It came to its end.
    pub done: bool,
    /// The type has `Py_TPFLAGS_HAVE_GC`.
    pub is_gc: u8,
    /// The collector had the object in a list.
    pub is_tracked: u8,
    /// The type of the object is a heap type.
    pub is_heap: u8,
    /// The class of the object is written in Python.
    pub is_python: u8,
    /// It was in a list when its memory was freed.
    pub freed_tracked: u8,
    /// It was in a list when a member was released.
    pub untracked_late: u8,
    /// The type of that member.
    pub late_type: String,
    /// A weak reference to it was left.
    pub weak_left: u8,
    /// It is an object that never dies (PEP 683).
    pub immortal: u8,
    /// It came back to life.
    pub revived: u8,
    /// Traverse did not always report the same.
    pub unstable: u8,
    /// There were more targets than are recorded.
    pub too_many: u8,
    /// What it reported or released.
    pub records: Vec<Record>,
}

/// One object that the dying one reported or released.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// By how much its count fell.
    pub released: i64,
    /// By how much of it when `tp_clear` ran.
    pub cleared: i64,
    /// How often it was reported.
    pub visits: i64,
    /// How often it was reported after `tp_clear`.
    pub after_clear: i64,
    /// Its count before.
    pub before: i64,
    /// References to it of others, as far as traverse reports them; only where counts do not agree.
    pub explained: i64,
    /// A set of [`flag`]s.
    pub flags: u32,
    /// Where the dying object had it: 0 unknown, 1 in its memory, 2 there with a mark in the low bits, 3 in a block that it
    /// leads to.
    pub place: u8,
    /// At which byte.
    pub offset: i32,
    /// The name of the member there.
    pub member: String,
}

/// What is known of the target of a reference: the numbers of `audit.h`.
pub mod flag {
    /// Nothing in it can ever lead anywhere.
    pub const INERT: u32 = 1;
    /// The collector has it in a list.
    pub const TRACKED: u32 = 4;
    /// It is a type.
    pub const TYPE: u32 = 8;
    /// It is a module.
    pub const MODULE: u32 = 16;
    /// It is the type of the dying object.
    pub const OWN_TYPE: u32 = 32;
    /// It leads back to the dying object.
    pub const REACHES_BACK: u32 = 64;
    /// Others own it, too.
    pub const SHARED: u32 = 128;
    /// It is an instance of a class in Python, or a function.
    pub const PYTHON: u32 = 256;
    /// It is a function in C.
    pub const BUILTIN_FUNCTION: u32 = 512;
    /// It reports something that is not inert.
    pub const LEADS_ON: u32 = 1024;
}

impl Record {
    /// True if it has one of these flags.
    pub fn is(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    /// Where the dying object had it: a member, `+16`, `+16 (tagged)`, `heap`; nothing if that is not known.
    pub fn place(&self) -> Option<String> {
        match self.place {
            1 if self.member.is_empty() => Some(format!("+{}", self.offset)),
            1 => Some(format!("`{}` (+{})", self.member, self.offset)),
            2 => Some(format!("+{} (tagged)", self.offset)),
            3 => Some(format!("heap (from +{})", self.offset)),
            _ => None,
        }
    }
}
