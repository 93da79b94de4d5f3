//! Functions that a script may need.

/// A function that a script defines for itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Helper {
    /// What is left of an object.
    Show,
    /// An owner without GC header.
    Box,
    /// A cell.
    Cell,
    /// The referent of a proxy.
    Ask,
    /// The generation that an object is in.
    Generation,
}

impl Helper {
    /// The module that it needs.
    pub fn needs(self) -> Option<&'static str> {
        matches!(self, Helper::Box | Helper::Generation).then_some("sys")
    }

    /// Its lines; `slots` are the names of all attributes, `containers` says that lists and dicts are shown.
    pub fn lines(self, slots: &[String], containers: bool) -> Vec<String> {
        let comma = if slots.len() == 1 { "," } else { "" };
        let attributes = format!("[s for s in ({}{comma}) if getattr(x, s, None) is not None]", slots.join(", "));
        let lines: &[&str] = match self {
            Helper::Show if containers => &[
                "def show(x):  # what is left of an object",
                "    if x is None or isinstance(x, (list, dict)): return x and len(x)",
                "    return {attributes}",
            ],
            Helper::Show => &["def show(x):  # what is left of an object", "    return x and {attributes}"],
            Helper::Box => &[
                "def box(*x):  # a code object: it owns x, and has no GC header",
                "    code = (lambda: 0).__code__",
                "    if hasattr(code, \"replace\"): return code.replace(co_consts=x)",
                "    numbers = [0] * (4 + (sys.version_info > (3,)))",
                "    return type(code)(*numbers + [b\"\", x, (), (), \"\", \"\", 1, b\"\"])",
            ],
            Helper::Cell => &["def cell(x): return (lambda: x).__closure__[0]"],
            Helper::Ask => &[
                "def ask(w):  # the referent of a weak reference or proxy",
                "    if type(w) not in weakref.ProxyTypes: return w()",
                "    try: return w.__init__.__self__",
                "    except ReferenceError: return None",
            ],
            Helper::Generation => &[
                "def generation(x):  # [] before 3.8, and if it is in none",
                "    if sys.version_info < (3, 8): return []",
                "    return [g for g in range(3) if any(o is x for o in gc.get_objects(g))]",
            ],
        };
        lines.iter().map(|line| line.replace("{attributes}", &attributes)).collect()
    }
}
