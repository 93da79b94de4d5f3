//! Which switches explain what an interpreter does otherwise than the model, in words and for programs.

use serde_json::{Value, json};

use super::style::{Style, count, quoted};
use crate::diagnose::{Cause, Causes};
use crate::event::Phase;
use crate::findings::SubjectIdentity;
use crate::model::collector::Switch;

/// At most so many switches are named that would explain as much.
const MOST_NAMED: usize = 3;

/// `all 6 differences are explained by ...`, and the command that goes on with what is left.
pub fn causes_text(subject: &SubjectIdentity, causes: &Causes, style: Style) -> String {
    let mut out = format!("{} {}", style.head(&subject.name), sentence(causes, &subject.collector, style));
    if let Some(collector) = &causes.collector {
        let command = format!("coroner diff --python {} --against {}", quoted(&subject.option), quoted(collector));
        out += &format!("    {}\n", style.command(&command));
    }
    out
}

/// Lines: how many differences from the model of this name are explained, then by what.
pub fn sentence(causes: &Causes, model: &str, style: Style) -> String {
    let (all, explained) = (causes.differences, causes.explained());
    let differences = count(all as u64, "difference");
    if causes.causes.is_empty() {
        return format!("against {model}: {differences}, and no switch, and no pair of switches, explains one\n");
    }
    let how_many = match (explained == all, all) {
        (true, 1) => "the difference is".to_owned(),
        (true, _) => format!("all {differences} are"),
        (false, _) => format!("{explained} of {differences} are"),
    };
    let mut out = format!("against {model}: {how_many} explained by");
    let several = causes.causes.len() > 1;
    for (i, cause) in causes.causes.iter().enumerate() {
        let word = if i == 0 { "" } else { ", then" };
        let number = if several { format!(" ({})", cause.explained) } else { String::new() };
        out += &format!("{word} {}{number}", style.note(&turned(&cause.switches)));
    }
    out.push('\n');
    causes.causes.iter().for_each(|cause| out += &about(cause));
    out
}

/// `` `clear-trash-weakrefs` off``.
fn turned(switches: &[(Switch, bool)]) -> String {
    let one = |(switch, on): &(Switch, bool)| format!("`{}` {}", switch.name(), if *on { "on" } else { "off" });
    switches.iter().map(one).collect::<Vec<_>>().join(" with ")
}

/// Where the switches come from, in which phase they act first, and what would do as well.
fn about(cause: &Cause) -> String {
    let mut out = String::new();
    for (switch, _) in &cause.switches {
        out += &format!("    {} ({})", switch.name(), switch.source());
    }
    let phase = |(phase, number): &(Phase, usize)| match cause.phases.len() {
        1 => phase.to_string(),
        _ => format!("{phase} ({number})"),
    };
    let phases: Vec<String> = cause.phases.iter().map(phase).collect();
    out += &format!(": the cause is in phase {}\n", phases.join(", "));
    if !cause.instead.is_empty() {
        let names: Vec<&str> = cause.instead.iter().take(MOST_NAMED).map(|s| s.name()).collect();
        let more = cause.instead.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out += &format!("    as much is explained by turning over {}{more}\n", names.join(", "));
    }
    out
}

/// The same for programs.
pub fn causes_json(interpreter: &str, causes: &Causes) -> Value {
    let switches = |cause: &Cause| -> Vec<Value> {
        cause.switches.iter().map(|(switch, on)| json!({ "name": switch.name(), "on": on })).collect()
    };
    let phases = |cause: &Cause| -> Vec<Value> {
        cause.phases.iter().map(|(phase, number)| json!({ "phase": phase.word(), "differences": number })).collect()
    };
    let cause = |cause: &Cause| {
        let instead: Vec<&str> = cause.instead.iter().map(|s| s.name()).collect();
        let (switches, phases) = (switches(cause), phases(cause));
        json!({ "switches": switches, "explained": cause.explained, "phases": phases, "instead": instead })
    };
    json!({
        "interpreter": interpreter,
        "differences": causes.differences,
        "explained": causes.explained(),
        "causes": causes.causes.iter().map(cause).collect::<Vec<_>>(),
        "collector": causes.collector,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_explains_all_or_most_is_said_with_its_phase() {
        let cause = |switch, explained, phases: &[(Phase, usize)]| Cause {
            switches: vec![(switch, false)],
            instead: Vec::new(),
            explained,
            phases: phases.to_vec(),
        };
        let one = cause(Switch::ClearTrashWeakrefs, 6, &[(Phase::Wr1, 6)]);
        let other =
            Cause { instead: vec![Switch::Freeze], ..cause(Switch::Pep442, 2, &[(Phase::Fin, 1), (Phase::Del, 1)]) };
        let said = |differences, causes: &[Cause]| {
            let causes = Causes { differences, causes: causes.to_vec(), collector: None };
            sentence(&causes, "cpython-3.8.0", Style { color: false })
        };
        assert_eq!(
            said(6, std::slice::from_ref(&one)),
            "against cpython-3.8.0: all 6 differences are explained by `clear-trash-weakrefs` off\n    \
             clear-trash-weakrefs (3.8, bpo-38006): the cause is in phase WR1\n"
        );
        assert_eq!(
            said(9, &[one, other]),
            "against cpython-3.8.0: 8 of 9 differences are explained by `clear-trash-weakrefs` off (6), then `pep442` off (2)\n    \
             clear-trash-weakrefs (3.8, bpo-38006): the cause is in phase WR1\n    \
             pep442 (3.4, PEP 442): the cause is in phase FIN (1), DEL (1)\n    \
             as much is explained by turning over freeze\n"
        );
        let none = said(1, &[]);
        assert_eq!(none, "against cpython-3.8.0: 1 difference, and no switch, and no pair of switches, explains one\n");
    }
}
