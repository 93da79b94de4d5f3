//! What the table of operations is made of: the roles of operands, and what it says of each operation.

use super::numbered::numbered;
use super::operations::{OPERATIONS, Op, Opcode};
use super::{Kind, Place, ScriptId, Shape};

numbered! {
    /// The shape of a graph built by [`Op::Build`].
    pub enum Bulk {
        /// Each object's slot 0 is the object built before it; the place gets the last.
        Chain,
        /// A chain whose first object's slot 1 is the last object.
        Ring,
        /// A binary tree: slots 0 and 1 of object i are objects 2i+1 and 2i+2; the place gets object 0.
        Tree,
        /// Every object has a slot 0 edge to itself and slot 1 to the object before; the place gets the last.
        Knots,
    }
}

impl Bulk {
    /// The word of the text form.
    pub const fn word(self) -> &'static str {
        match self {
            Bulk::Chain => "chain",
            Bulk::Ring => "ring",
            Bulk::Tree => "tree",
            Bulk::Knots => "knots",
        }
    }
}

/// An operand of an operation, by what it is for.
///
/// Whoever treats all operations alike (both forms of files, the records of the probe, the normal form, sizes,
/// mutations) matches on these. A new operation whose operands are among them needs nothing there.
#[derive(Debug)]
pub(crate) enum Operand<'a> {
    /// Where the result is stored; nothing drops it.
    Target(&'a mut Place),
    /// What is assigned, or emptied.
    Assigned(&'a mut Place),
    /// An object to be read, or nothing.
    Source(&'a mut Place),
    /// An object without which the operation has no effect.
    Object(&'a mut Place),
    /// What a new object is made of, as its kind says, which comes before.
    Items(&'a mut [Place; 2]),
    /// The kind of a new object.
    Kind(&'a mut Kind),
    /// The kind of the objects of a graph, an extension shape. The binary form has it behind the [`Operand::Count`].
    Graph(&'a mut Kind),
    /// The shape of a graph.
    Bulk(&'a mut Bulk),
    /// How many objects a graph has.
    Count(&'a mut u32),
    /// The generation of a collection. As the first operand of the text form it may be missing: a full collection.
    Generation(&'a mut u8),
    /// Which allocation from now on; 0 for none, and then nothing need follow in the text form.
    Allocation(&'a mut u8),
    /// How often a script is run.
    Times(&'a mut u8),
    /// The thresholds of the three generations.
    Thresholds(&'a mut [u16; 3]),
    /// The flag `DEBUG_SAVEALL`.
    SaveAll(&'a mut bool),
    /// A script that runs as part of the body that names it.
    Body(&'a mut ScriptId),
}

/// A type of operands, and what of it everybody asks for.
pub(super) trait OperandType: Copy {
    /// A value to be overwritten when an operation is read.
    const BLANK: Self;

    /// The kind of what the operation creates.
    #[inline]
    fn kind(&self) -> Option<&Kind> {
        None
    }

    /// The places in it.
    #[inline]
    fn places(&mut self) -> &mut [Place] {
        &mut []
    }

    /// Exchanges the scripts in it. False if it cannot be without one that is taken away.
    #[inline]
    fn map_scripts(&mut self, _change: &mut impl FnMut(ScriptId) -> Option<ScriptId>) -> bool {
        true
    }
}

impl OperandType for Place {
    const BLANK: Place = Place::NOTHING;

    #[inline]
    fn places(&mut self) -> &mut [Place] {
        std::slice::from_mut(self)
    }
}

impl OperandType for [Place; 2] {
    const BLANK: [Place; 2] = [Place::NOTHING; 2];

    #[inline]
    fn places(&mut self) -> &mut [Place] {
        self
    }
}

impl OperandType for Kind {
    const BLANK: Kind = Kind::new(Shape::Node);

    #[inline]
    fn kind(&self) -> Option<&Kind> {
        Some(self)
    }

    #[inline]
    fn map_scripts(&mut self, change: &mut impl FnMut(ScriptId) -> Option<ScriptId>) -> bool {
        Kind::map_scripts(self, change);
        true
    }
}

impl OperandType for Bulk {
    const BLANK: Bulk = Bulk::Chain;
}

impl OperandType for ScriptId {
    const BLANK: ScriptId = ScriptId(0);

    #[inline]
    fn map_scripts(&mut self, change: &mut impl FnMut(ScriptId) -> Option<ScriptId>) -> bool {
        let other = change(*self);
        *self = other.unwrap_or(*self);
        other.is_some()
    }
}

impl OperandType for u8 {
    const BLANK: u8 = 0;
}

impl OperandType for u32 {
    const BLANK: u32 = 0;
}

impl OperandType for [u16; 3] {
    const BLANK: [u16; 3] = [0; 3];
}

impl OperandType for bool {
    const BLANK: bool = false;
}

/// How an operation is written in the text form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The word, and all operands but the target in parentheses, after `target = ` if there is one.
    Function(&'static str),
    /// The words as they stand; there are no operands.
    Phrase(&'static str),
    /// In a way of its own.
    Grammar,
}

/// In which bodies an operation has an effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    /// In all.
    Anywhere,
    /// In the mutator's body, and in scripts that run as part of it.
    Main,
    /// In scripts.
    Scripts,
}

impl Stands {
    /// The words of a table.
    pub const fn words(self) -> &'static str {
        match self {
            Stands::Anywhere => "anywhere",
            Stands::Main => "main body, and scripts run as part of it",
            Stands::Scripts => "scripts",
        }
    }
}

/// A way to write an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// An example of the operation.
    pub form: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// What the table says of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Which one it is; as a number, its tag in the binary form.
    pub opcode: Opcode,
    /// How it is written.
    pub form: Form,
    /// Another word that is read for it.
    pub alias: Option<&'static str>,
    /// How far it is from the simplest operation, its operands not counted: what the reducer lowers.
    pub weight: u32,
    /// Where it has an effect.
    pub stands: Stands,
    /// What messages call its [`Operand::Object`]s, in their order.
    pub(super) objects: &'static [&'static str],
    /// How it is used.
    pub usages: &'static [Usage],
    /// The operation before its operands are read.
    pub(super) blank: Op,
}

impl Operation {
    /// The words that are read as this operation if a parenthesis follows; members of `gc` with a dot.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> + Clone {
        let word = match self.form {
            Form::Function(word) => Some(word),
            Form::Phrase(_) | Form::Grammar => None,
        };
        word.into_iter().chain(self.alias)
    }

    /// True if it stores a result.
    pub(super) fn gives_value(&self) -> bool {
        let mut op = self.blank;
        op.result_mut().is_some()
    }
}

impl Op {
    /// What the table says of it.
    #[inline]
    pub const fn operation(&self) -> &'static Operation {
        self.opcode().operation()
    }
}

impl Opcode {
    /// What the table says of it.
    #[inline]
    pub const fn operation(self) -> &'static Operation {
        &OPERATIONS[self as usize - Opcode::ALL[0] as usize]
    }
}
