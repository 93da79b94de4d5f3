//! The list of invariants, and what is known of each.

use crate::subject::{Declaration, Expectation, Needs, Release, Span, Values};

/// What there is to say of an invariant.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its name, in words joined by hyphens.
    pub name: &'static str,
    /// What must hold.
    pub statement: &'static str,
    /// Participation kinds, modes and releases it presupposes, and what happens to the class without them.
    pub premises: &'static str,
    /// What a pass does not mean.
    pub not: &'static str,
    /// False if CPython never promised it.
    pub promised: bool,
    /// What has to be observed of a run, or it is not judged.
    pub needs: Needs,
    /// What it asks about the subject: the excuses that it cites, and choices. What is found unreachable has questions of
    /// its own: see [`Invariant::asks`].
    pub asks: &'static [Expectation],
    /// How a violation reads; `{object}`, `{other}`, `{expected}` and `{observed}` are filled in.
    pub sentence: &'static str,
}

macro_rules! invariants {
    ($($code:ident $name:literal $module:path;)*) => {
        /// Something that must hold in every run; see `docs/invariants.md`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Invariant {
            $(#[doc = $name] $code,)*
        }

        impl Invariant {
            /// Every invariant, in order.
            pub const ALL: &'static [Invariant] = &[$(Invariant::$code),*];
            /// How many there are.
            pub const COUNT: usize = Invariant::ALL.len();

            /// What is known of it.
            pub const fn about(self) -> &'static Description {
                use super::*;
                match self { $(Invariant::$code => { use $module as module; &module::DESCRIPTION })* }
            }

            /// Its code, such as `I15`.
            pub const fn code(self) -> &'static str {
                match self { $(Invariant::$code => stringify!($code),)* }
            }
        }
    };
}

invariants! {
    I01 "no-insane" super::i01_no_insane;
    I01b "no-insane-introspect" super::i01b_no_insane_introspect;
    I02 "no-insane-after" super::i02_no_insane_after;
    I03 "clear-sound" super::i03_clear_sound;
    I04 "free-once" super::i04_free_once;
    I05 "no-dangling" super::i05_no_dangling;
    I06 "refcount-exact" super::i06_refcount_exact;
    I07 "fin-once" super::i07_fin_once;
    I08 "fin-before-clear" super::i08_fin_before_clear;
    I09 "fin-only-garbage" super::i09_fin_only_garbage;
    I10 "fin-not-lost" super::i10_fin_not_lost;
    I11 "ref-dead-in-callback" super::i11_ref_dead_in_callback;
    I12 "ref-dead-implies-dying" super::i12_ref_dead_implies_dying;
    I13 "no-zombie-deref" super::i13_no_zombie_deref;
    I14 "callback-once" super::i14_callback_once;
    I15 "no-callback-from-trash" super::i15_no_callback_from_trash;
    I16 "no-callback-if-alive" super::i16_no_callback_if_alive;
    I17 "callback-order" super::i17_callback_order;
    I18 "path-independence" super::differential::i18_path_independence;
    I19 "complete" super::i19_complete;
    I20 "converge" super::i20_converge;
    I21 "counts" super::i21_counts;
    I22 "resurrect-local" super::i22_resurrect_local;
    I23 "tracked" super::i23_tracked;
    I24 "publish-complete" super::i24_publish_complete;
    I25 "list-integrity" super::i25_list_integrity;
    I26 "traverse-faithful" super::i26_traverse_faithful;
    I27 "clear-safe" super::i27_clear_safe;
    I30 "weakmap-coherent" super::i30_weakmap_coherent;
    I31 "exc-preserved" super::i31_exc_preserved;
    I32 "generation" super::i32_generation;
    I37 "bounded-depth" super::i37_bounded_depth;
    I38 "steady-state" super::differential::i38_steady_state;
    I40 "ephemeron" super::i40_ephemeron;
    I41 "same-order" super::differential::i41_same_order;
}

impl Invariant {
    /// Its name, such as `no-callback-from-trash`.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// False if CPython never promised it: reported apart.
    pub const fn promised(self) -> bool {
        self.about().promised
    }

    /// What of a subject's expectations its verdict depends on, by itself or because it needs to know what a collection
    /// finds unreachable.
    pub fn asks(self) -> impl Iterator<Item = Expectation> {
        let Description { needs, asks, .. } = self.about();
        let found: &[Expectation] = if needs.covers(Needs::UNREACHABLE) { super::shadow::ASKS } else { &[] };
        found.iter().chain(*asks).copied()
    }

    /// True if a subject shows what the invariant needs, and its choices are known. An excuse of which nothing is known
    /// does not hold.
    pub fn can_be_asked(self, declaration: &Declaration) -> bool {
        let open = |e: Expectation| e.excuses().is_none() && !declaration.expectations.knows(e);
        declaration.observes.covers(self.about().needs) && !self.asks().any(open)
    }

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

/// The text of `docs/invariants.md`.
pub fn markdown() -> String {
    use std::fmt::Write;
    let mut text = String::from(
        "# Invariants\n\nGenerated from the code by `coroner::invariant::markdown`; a test compares.\n\n\
         An invariant is judged from the scenario and the event stream alone. A violation has a class: `collector` (the\n\
         premises held), `type-fault` (a type lied or did not take part, and the collector could not know) or `documented`\n\
         (the release does it on purpose, or CPython never promised otherwise). What could not be observed is *not judged*.\n\n\
         | code | name | promised |\n| --- | --- | --- |\n",
    );
    for i in Invariant::ALL {
        let promised = if i.promised() { "yes" } else { "no" };
        let _ =
            writeln!(text, "| {} | [{}](#{}-{}) | {promised} |", i.code(), i.name(), i.code().to_lowercase(), i.name());
    }
    for i in Invariant::ALL {
        let a = i.about();
        let _ = write!(text, "\n## {} {}\n\n{}\n\n", i.code(), a.name, a.statement);
        if !a.promised {
            text.push_str("CPython never promised this; reported apart.\n\n");
        }
        let _ = write!(text, "*Premises.* {}\n\n*Not verified.* {}\n", a.premises, a.not);
    }
    text.push_str(
        "\n## What is documented\n\n| condition | since | until before | source |\n| --- | --- | --- | --- |\n",
    );
    let show = |r: Option<Release>| r.map_or_else(String::new, |r| r.to_string());
    for why in Expectation::ALL {
        let Some(Span { since, until }) = why.excuses() else { continue };
        let _ = writeln!(text, "| {why:?} | {} | {} | {} |", show(since), show(until), why.source());
    }
    text.push_str(
        "\n## What else is expected\n\nOf a subject of which such a choice is not known, the invariants that ask for it are not judged.\n\n\
         | choice | value | releases | source |\n| --- | --- | --- | --- |\n",
    );
    for choice in Expectation::ALL {
        let Values::OneOf(values) = choice.values() else { continue };
        for (value, releases) in values {
            let releases = if releases.is_all() { "others".to_owned() } else { releases.to_string() };
            let _ = writeln!(text, "| {choice:?} | {value} | {releases} | {} |", choice.source());
        }
    }
    text
}
