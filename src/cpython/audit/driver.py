# Runs in the interpreter that is audited, 3.6 and later: imports, makes objects, chooses those to be audited, and has a copy
# of the process let each of them die. What it finds out it writes to a file, one JSON object per line; the last line says
# what it was at when the process died. Arguments: the folder of the library, the file, and the orders as JSON.
import gc
import json
import os
import signal
import sys

sys.path.insert(0, sys.argv[1])
import coroner_audit as audit

sys.path.pop(0)
ORDERS = json.loads(sys.argv[3])
OUT = open(sys.argv[2], "a", buffering=1)
PROCESS = os.getpid()
# What may be imported, and what a copy may take, in seconds.
IMPORT_TIME, COPY_TIME = 60, 3.0
# Modules that open windows or pages, print, or are made for nothing but tests.
NOT_IMPORTED = {"antigravity", "this", "idlelib", "test", "turtledemo", "turtle", "lib2to3", "tkinter", "ensurepip", "pip"}
# Types whose objects hold the process together, or die while they run; `all` has no bearing on them.
NOT_AUDITED = {
    "type", "module", "frame", "generator", "coroutine", "async_generator", "object", "NoneType", "code", "traceback",
    "weakcallableproxy", "weakproxy", "PyCapsule", "ellipsis", "NotImplementedType",
}


def say(kind, **facts):
    if os.getpid() != PROCESS:
        os._exit(0)  # a package that forks at import: its child is no audit
    facts["kind"] = kind
    OUT.write(json.dumps(facts) + "\n")


def mute():
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)


def name_of(kind):
    try:
        module, name = kind.__module__, kind.__qualname__
    except Exception:
        return "?"
    return name if module in ("builtins", None) else "%s.%s" % (module, name)


# ---- what is imported ----

def bring(module):
    say("importing", module=module)
    signal.alarm(IMPORT_TIME)
    try:
        __import__(module)
        return None
    except BaseException as error:  # SystemExit, too
        return "%s: %s" % (type(error).__name__, str(error).split("\n")[0][:200])
    finally:
        signal.alarm(0)


def normal(name):
    return name.lower().replace("-", "_").replace(".", "_")


def distribution(package):
    """The folder of what is installed under this name, the files it has, and the modules at its top."""
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in entries:
            stem, dot, suffix = entry.rpartition(".")
            if suffix not in ("dist-info", "egg-info") or not os.path.isdir(os.path.join(folder, entry)):
                continue
            top, files = [], []
            for listed in ("RECORD", "installed-files.txt"):
                try:
                    with open(os.path.join(folder, entry, listed)) as lines:
                        files += [line.split(",")[0].strip() for line in lines]
                except (OSError, ValueError):
                    pass
            try:
                with open(os.path.join(folder, entry, "top_level.txt")) as lines:
                    top = lines.read().split()
            except (OSError, ValueError):
                pass
            top += [f.split("/")[0] for f in files if f.count("/") == 1 and f.endswith("/__init__.py")]
            named = normal(stem.split("-")[0])
            if named == normal(package) or package in top:
                version = stem.split("-")[1] if "-" in stem else ""
                base = os.path.join(folder, entry) if files and files[0].startswith("..") else folder
                return version, [os.path.realpath(os.path.join(base, f)) for f in files], sorted(set(top))
    return "", [], []


def extension_modules(folder, prefix):
    """The extension modules below a package's folder."""
    found = []
    for path, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f not in ("tests", "test", "__pycache__")]
        for file in sorted(files):
            if file.endswith(".so"):
                inner = os.path.relpath(path, folder).replace(os.sep, ".")
                name = file.split(".")[0]
                found.append(".".join(part for part in (prefix, inner if inner != "." else "", name) if part))
    return found[:200]


def standard_library():
    names = set(getattr(sys, "stdlib_module_names", ())) | set(sys.builtin_module_names)
    folder = os.path.dirname(os.__file__)
    if not hasattr(sys, "stdlib_module_names"):
        for place in (folder, os.path.join(folder, "lib-dynload")):
            for entry in os.listdir(place) if os.path.isdir(place) else ():
                if entry.endswith((".py", ".so")):
                    names.add(entry.split(".")[0])
    return [n for n in sorted(names) if n not in NOT_IMPORTED and not n.startswith(("_test", "xx", "__")) and "idle" not in n]


def load(package):
    """Imports a package with all of its extension modules: the error if it is none."""
    version, files, top = distribution(package)
    names = [package] + [t for t in top if t != package]
    errors = [(name, bring(name)) for name in names]
    loaded = [name for name, error in errors if error is None and name in sys.modules]
    if not loaded:
        return errors[0][1], version, files
    for name in loaded:
        module = sys.modules[name]
        version = version or str(getattr(module, "__version__", ""))
        for folder in list(getattr(module, "__path__", [])):
            for extension in extension_modules(folder, name):
                if extension not in sys.modules:
                    bring(extension)
            files.append(os.path.realpath(folder) + os.sep)
        if getattr(module, "__file__", None):
            files.append(os.path.realpath(module.__file__))
    for path in [f for f in files if f.endswith(".so")]:
        name = os.path.basename(path).split(".")[0]
        if any(path == os.path.join(os.path.realpath(entry or "."), os.path.basename(path)) for entry in sys.path):
            if name not in sys.modules:
                bring(name)
    return None, version, files


# ---- what is audited ----

def subclasses(kind, seen):
    for sub in type.__subclasses__(kind):
        if sub not in seen:
            seen.add(sub)
            subclasses(sub, seen)


def all_types():
    seen = {object}
    subclasses(object, seen)
    return seen


def is_in(library, files):
    library = os.path.realpath(library) if library else ""
    return any(library == f or (f.endswith(os.sep) and library.startswith(f)) for f in files)


class Marker(object):
    """Stands for what a caller may pass: an object of a class of the caller's own."""
    def __call__(self, *args, **kwargs):
        return None

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0

    def read(self, *args):
        return b""

    readline = readinto = write = flush = close = read

    def readable(self):
        return True

    writable = seekable = readable
    closed = False


# Arguments that a constructor may take, in the order in which they are tried.
ARGUMENTS = [
    ("(Marker())", lambda m: (m,)),
    ("(Marker(), Marker())", lambda m: (m, m)),
    ("([Marker()])", lambda m: ([m],)),
    ("(Marker(), [Marker()])", lambda m: (m, [m])),
    ("(1, Marker())", lambda m: (1, m)),
    ("('a', Marker())", lambda m: ("a", m)),
    ("(Marker(), Marker(), Marker())", lambda m: (m, m, m)),
    ("()", lambda m: ()),
    ("('a')", lambda m: ("a",)),
    ("(b'a')", lambda m: (b"a",)),
    ("(1)", lambda m: (1,)),
    ("(1, 1)", lambda m: (1, 1)),
]


def maker(kind, first):
    def make():
        for text, arguments in ARGUMENTS[first:]:
            try:
                made = kind(*arguments(Marker()))
            except Exception:
                continue
            if type(made) is kind or issubclass(type(made), kind):
                audit.note(text)
                return made
        raise TypeError("no arguments fit")
    return make


def describe_record(record):
    kind = audit.object_at(record.pop("type_at"))
    if kind is not None:
        record["type"] = name_of(kind)
    record.pop("address")
    return record


def run(target, is_maker, mode):
    facts = audit.run(target, is_maker, mode, int(COPY_TIME * 1000))
    kind = audit.object_at(facts.pop("type_at"))
    if kind is not None:
        facts["type"] = name_of(kind)
    facts["done"] = facts["stage"] == audit.DONE
    facts["records"] = [describe_record(r) for r in facts["records"]]
    return facts


def study(target, is_maker, name, thorough, source):
    """Lets one object die, in as many ways as tell something: False if nothing was seen, None if there is none to die."""
    say("at", type=name)
    death = run(target, is_maker, audit.DEATH)
    if death["raised"] or death["immortal"]:
        return None
    ways = {"death": death}
    if thorough and death["done"]:
        if death["is_tracked"] and any(r["visits"] for r in death["records"]):
            ways["order"] = run(target, is_maker, audit.ORDER)
        if death["is_tracked"] and death["has_clear"]:
            ways["clear"] = run(target, is_maker, audit.CLEAR)
        if death["has_weakrefs"]:
            ways["weak"] = run(target, is_maker, audit.WEAK)
        if death["has_finalizer"]:
            ways["inside"] = run(target, is_maker, audit.FINALIZER_INSIDE)
    say("sample", type=name, source=source, made=death["note"], ways=ways)
    return death["done"] and not death["revived"]


def audit_type(kind, objects, chosen):
    name = name_of(kind)
    facts = audit.describe(kind)
    own = [o for o in objects if o in chosen]
    rest = sorted((o for o in objects if o not in chosen), key=audit.count_at)
    good = tried = 0
    for o in own[: ORDERS["samples"]] + rest[: 2 * ORDERS["samples"]]:
        if good == ORDERS["samples"]:
            break
        seen = study(o, 0, name, good < 2, "recipe" if o in chosen else "heap")
        tried += seen is not None
        good += bool(seen)
    made = 0
    if ORDERS["auto"] and not facts["python"]:
        for first in (0, 7) if not good else (0,):
            seen = study(maker(kind, first), 1, name, not made, "auto")
            tried += seen is not None
            made += bool(seen)
            if seen:
                break
    say("type", type=name, library=os.path.basename(facts["library"]), tried=tried, gc=facts["gc"], heap=facts["heap"],
        bases=[name_of(base) for base in kind.__mro__[1:] if base is not object])


def recipe_objects(path):
    """Runs a recipe: what is in its list `objects`, and what its function `make` returns or yields, once per sample."""
    say("recipe", path=os.path.basename(path))
    space = {"__name__": "recipe", "__file__": path}
    with open(path) as text:
        exec(compile(text.read(), path, "exec"), space)
    found = list(space.get("objects", ()))
    for _ in range(ORDERS["samples"] if "make" in space else 0):
        found.extend(space["make"]())
    return found


def main():
    mute()
    before = all_types()
    files, packages = [], ORDERS["packages"]
    if ORDERS["controls"]:
        sys.path.insert(0, sys.argv[1])
        import coroner_controls
        packages = []
    elif packages:
        for package in packages:
            error, version, listed = load(package)
            if error:
                say("no_import", package=package, error=error)
                return
            say("package", package=package, version=version)
            files += listed
    else:
        for module in standard_library():
            error = bring(module)
            if error:
                say("left_out", module=module, error=error)
        say("package", package="the standard library", version="")
    # Nothing is collected from here on: a debug build would stop at the first object that reports too much.
    for _ in range(3):
        gc.collect()
    gc.disable()
    kept = []
    if ORDERS["controls"]:
        kept = coroner_controls.make(Marker, ORDERS["samples"])
    for path in ORDERS["recipes"]:
        try:
            kept += recipe_objects(path)
        except BaseException as error:
            trace, line = error.__traceback__, 0
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == path:
                    line = trace.tb_lineno
                trace = trace.tb_next
            line = getattr(error, "lineno", None) or line
            say("bad_recipe", path=path, line=line, error="%s: %s" % (type(error).__name__, str(error)[:200]))
            return
    gc.disable()
    chosen = set(map(id, kept))
    kinds = all_types()
    audit.add_known(gc.get_objects() + kept)
    groups = audit.by_type()
    wanted = []
    for kind in set(groups) | kinds:
        facts = audit.describe(kind)
        # Files of the interpreter are those of types that were there before anything was imported.
        if facts["python"] or name_of(kind) in NOT_AUDITED or name_of(kind).startswith("coroner_audit."):
            continue
        if ORDERS["controls"]:
            mine = name_of(kind).startswith("coroner_controls.")
        elif packages:
            mine = kind not in before and is_in(facts["library"], files)
        else:
            mine = True
        if mine and not issubclass(kind, type):
            wanted.append(kind)
    wanted.sort(key=name_of)
    say("begin", types=len(wanted), threads=len(sys._current_frames()))
    for kind in wanted:
        audit_type(kind, groups.get(kind, []), chosen)
    say("end")


if os.path.isdir(ORDERS["folder"]):
    os.chdir(ORDERS["folder"])
try:
    main()
except BaseException as error:
    say("driver_failed", error="%s: %s" % (type(error).__name__, error), line=error.__traceback__.tb_lineno)
OUT.flush()
os._exit(0)
