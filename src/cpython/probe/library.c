/* What the library composes of weak references, in its own code: weakref.finalize. The class is the running
 * interpreter's; only its tp_call and the death of its instances are watched. Of the object that the registry keeps
 * under a finalize (finalize._Info) events tell as of slots of the finalize itself: callable and weak reference. */
#include "probe.h"

#define MAX_RUNNING 64

static PyObject *registry; /* finalize._registry */
static PyTypeObject *type;
static ternaryfunc original_call;

/* Calls of finalize objects in progress, and what the machinery holds during each beyond what the model knows. */
static struct { PyObject *object, *weak; } running[MAX_RUNNING];
static int n_running, extra_object, extra_weak;

static int n_dicts;
void library_reset(void) { n_running = n_dicts = 0; }

uint32_t library_extra(PyObject *o) {
    int i, n = 0;
    for (i = 0; i < n_running && i < MAX_RUNNING; i++)
        n += (running[i].object == o) * extra_object + (running[i].weak == o) * extra_weak;
    return (uint32_t)n;
}

/* ---- the registry's entry ---- */

/* New references; NULL where there is no entry. */
static void entry(PyObject *o, PyObject **callable, PyObject **weak) {
    PyObject *info = PyDict_GetItem(registry, o);
    *callable = info ? PyObject_GetAttrString(info, "func") : NULL;
    *weak = info ? PyObject_GetAttrString(info, "weakref") : NULL;
    PyErr_Clear();
}

static void report_entry(PyObject *o, PyObject *callable, PyObject *weak) {
    report_store(o, 0, callable);
    report_store(o, 1, weak);
    entry_of(id_of(o))->registered = callable != NULL;
}

void library_unregister(PyObject *o) {
    if (PyDict_DelItem(registry, o) < 0) PyErr_Clear();
}

PyObject *library_finalize_new(const Kind *kind, PyObject *referent, PyObject *callable, uint32_t origin) {
    /* The callables of scenarios take an argument. */
    PyObject *o = PyObject_CallFunctionObjArgs((PyObject *)type, referent, callable, Py_None, NULL), *kept, *weak;
    if (!o) {
        PyErr_Clear();
        events_give_up(GAVE_UP_ERROR);
        return NULL;
    }
    add_object(o, kind, origin, ROLE_NAMED);
    entry(o, &kept, &weak);
    if (kept && weak && PyWeakref_CheckRefExact(weak) && !id_of(weak)) {
        static const Kind weak_kind = {SHAPE_REF, 0, 0, 0, 0, 0, 0, FINALIZER_NONE, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT};
        PyWeakReference *w = (PyWeakReference *)weak;
        add_weak(weak, &weak_kind, origin, ROLE_FINALIZE_REF, w->wr_object, w->wr_callback);
        report_entry(o, kept, weak);
    }
    Py_XDECREF(kept);
    Py_XDECREF(weak);
    return o;
}

/* ---- calls ---- */

static PyObject *call(PyObject *o, PyObject *args, PyObject *kw) {
    uint32_t id = id_of(o);
    PyObject *weak = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : NULL, *r, *kept, *left;
    int registered = id && entry_of(id)->registered;
    P.calling = 0;
    if (!id) return original_call(o, args, kw);
    if (P.silent) { /* what it would call may have been emptied */
        entry_of(id)->registered = 0;
        library_unregister(o);
        Py_INCREF(Py_None);
        return Py_None;
    }
    emit(EV_ENTER, CODE_CALLBACK, id, weak ? id_of(weak) : 0);
    snapshot();
    P.frame.depth++;
    if (registered) report_entry(o, NULL, NULL); /* the first thing that the library does */
    if (n_running < MAX_RUNNING) {
        running[n_running].object = o;
        running[n_running].weak = weak;
    }
    n_running++;
    P.calling = CALLING_LIBRARY;
    r = original_call(o, args, kw);
    P.calling = 0;
    n_running--;
    entry(o, &kept, &left);
    if (registered && kept) report_entry(o, kept, left); /* it did not */
    Py_XDECREF(kept);
    Py_XDECREF(left);
    P.frame.depth--;
    emit(EV_LEAVE, 0, 0, 0);
    snapshot();
    return r;
}

/* ---- WeakValueDictionary ---- */

#define MAX_DICTS 64
#define HAS_CLOSURE (PY_VERSION_HEX < 0x03070000)
#define OWN_DICT (PY_VERSION_HEX < 0x030b0000)
#define PUTS_OFF (PY_VERSION_HEX < 0x030e0000)

#define PLAIN(shape) {shape, 0, 0, 0, 0, 0, 0, FINALIZER_NONE, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT}
static const Kind dict_kind = PLAIN(SHAPE_DICT), list_kind = PLAIN(SHAPE_LIST), ref_kind = PLAIN(SHAPE_REF),
                  tuple_kind = PLAIN(SHAPE_TUPLE), cell_kind = PLAIN(SHAPE_CELL),
                  function_kind = PLAIN(SHAPE_FUNCTION), keyed_kind = PLAIN(SHAPE_KEYED_REF);

static PyTypeObject *value_dict;
static PyObject *attribute[4]; /* _remove, _pending_removals, _iterating, data */
enum { REMOVE, PENDING, ITERATING, DATA };

/* By number of the objects; `entry` is what is told of each slot of the data, by number; none once that is emptied. */
static struct { uint32_t object, data, entry[MAX_ITEMS]; int gone; } dicts[MAX_DICTS];
static int n_dicts;

static int dict_of(uint32_t id) {
    int i;
    for (i = 0; i < n_dicts; i++)
        if (dicts[i].object == id) return i;
    return -1;
}

/* Borrowed: the object holds it. NULL once tp_clear has taken it. */
static PyObject *get(PyObject *o, int which) {
    PyObject *r = PyObject_GenericGetAttr(o, attribute[which]);
    if (r) Py_DECREF(r);
    else PyErr_Clear();
    return r;
}

static void tell(PyObject *o, const Kind *kind, uint32_t origin, uint32_t role) {
    add_object(o, kind, origin, role);
}

PyObject *library_dict_new(const Kind *kind, uint32_t origin) {
    PyObject *o = PyObject_Call((PyObject *)value_dict, P.no_args, NULL), *part[4], *closure, *defaults, *cell, *own;
    PyObject *selfref;
    uint32_t slot = 0;
    int i;
    if (n_dicts == MAX_DICTS) events_give_up(GAVE_UP_CONTAINERS);
    if (!o || n_dicts == MAX_DICTS) goto fail;
    for (i = 0; i < 4; i++) {
        part[i] = !PUTS_OFF && (i == PENDING || i == ITERATING) ? NULL : get(o, i);
        if (!part[i] && (PUTS_OFF || i == REMOVE || i == DATA)) goto fail;
    }
    if (!PyFunction_Check(part[REMOVE]) || !PyDict_Check(part[DATA])) goto fail;
    closure = ((PyFunctionObject *)part[REMOVE])->func_closure;
    defaults = ((PyFunctionObject *)part[REMOVE])->func_defaults;
    if (!defaults || PyTuple_GET_SIZE(defaults) == 0 || !PyWeakref_Check(PyTuple_GET_ITEM(defaults, 0))) goto fail;
    selfref = PyTuple_GET_ITEM(defaults, 0);
    cell = closure && PyTuple_GET_SIZE(closure) ? PyTuple_GET_ITEM(closure, 0) : NULL;
    own = OWN_DICT ? *_PyObject_GetDictPtr(o) : NULL;
    tell(o, kind, origin, ROLE_NAMED);
    if (cell) tell(cell, &cell_kind, origin, ROLE_CONTAINER_CELL);
    add_weak(selfref, &ref_kind, origin, ROLE_CONTAINER_SELF, o, ((PyWeakReference *)selfref)->wr_callback);
    tell(defaults, &tuple_kind, origin, ROLE_CONTAINER_DEFAULTS);
    report_store(defaults, 0, selfref);
    if (cell) {
        tell(closure, &tuple_kind, origin, ROLE_CONTAINER_CLOSURE);
        report_store(closure, 0, cell);
    }
    tell(part[REMOVE], &function_kind, origin, ROLE_CONTAINER_REMOVE);
    if (cell) report_store(part[REMOVE], 0, closure);
    report_store(part[REMOVE], 1, defaults);
    if (own) tell(own, &dict_kind, origin, ROLE_CONTAINER_DICT);
    if (PUTS_OFF) tell(part[PENDING], &list_kind, origin, ROLE_CONTAINER_PENDING);
    if (PUTS_OFF) tell(part[ITERATING], &list_kind, origin, ROLE_CONTAINER_ITERATING);
    tell(part[DATA], &dict_kind, origin, ROLE_CONTAINER_DATA);
    if (cell) report_store(cell, 0, part[DATA]);
    report_store(o, 0, part[DATA]);
    report_store(o, 1, part[REMOVE]);
    if (own) report_store(o, 2, own);
    else slot = 2;
    for (i = PENDING; PUTS_OFF && i <= ITERATING; i++) report_store(own ? own : o, slot++, part[i]);
    memset(&dicts[n_dicts], 0, sizeof dicts[0]);
    dicts[n_dicts].object = id_of(o);
    dicts[n_dicts++].data = id_of(part[DATA]);
    return o;
fail:
    Py_XDECREF(o);
    PyErr_Clear();
    events_give_up(GAVE_UP_ERROR);
    return NULL;
}

void library_data_gone(uint32_t id) {
    int i;
    for (i = 0; i < n_dicts; i++)
        if (dicts[i].data == id) dicts[i].gone = 1;
}

void library_tell_deleted(void) {
    int i;
    uint32_t slot;
    if (P.silent) return;
    for (i = 0; i < n_dicts; i++) {
        PyObject *data = entry_of(dicts[i].data)->object;
        if (!data || dicts[i].gone) continue;
        for (slot = 0; slot < MAX_ITEMS; slot++) {
            PyObject *weak = dicts[i].entry[slot] ? dict_get(data, slot) : NULL;
            if (!dicts[i].entry[slot] || (weak && id_of(weak) == dicts[i].entry[slot])) continue;
            dicts[i].entry[slot] = 0;
            report_store(data, slot, NULL);
        }
    }
}

int library_dict_store(PyObject *o, uint32_t slot, PyObject *value) {
    int i = dict_of(id_of(o)), r;
    PyObject *data = get(o, DATA), *remove = get(o, REMOVE), *key, *weak;
    if (i < 0 || !data || !remove || slot >= MAX_ITEMS || entry_of(id_of(o))->lost_values) return 0;
    if (!value && !dict_get(data, slot)) return 0;
    if (value && !can_have_weakrefs(shape_of(value))) return 0;
    key = PyLong_FromLong((long)slot);
    if (!key) return 0;
    r = value ? PyObject_SetItem(o, key, value) : PyObject_DelItem(o, key);
    Py_DECREF(key);
    if (r < 0) PyErr_Clear();
    if (!value) return r == 0;
    weak = r < 0 ? NULL : dict_get(data, slot);
    if (weak && !id_of(weak)) {
        PyWeakReference *w = (PyWeakReference *)weak;
        add_weak(weak, &keyed_kind, entry_of(id_of(o))->origin, ROLE_CONTAINER_ENTRY, w->wr_object, w->wr_callback);
        entry_of(id_of(weak))->number = slot;
        dicts[i].entry[slot] = id_of(weak);
        report_store(data, slot, weak);
    }
    Py_DECREF(value); /* the dictionary holds it weakly */
    return 1;
}

int library_dict_len(PyObject *o) {
    PyObject *data = get(o, DATA);
    Py_ssize_t n;
    if (!data || entry_of(id_of(o))->lost_values) return 0;
    library_tell_deleted();
    n = PyObject_Size(o);
    if (n < 0) {
        PyErr_Clear();
        return 0;
    }
    emit(EV_LENGTH, 0, id_of(o), (uint64_t)n | (uint64_t)PyDict_Size(data) << 32);
    return 1;
}

int library_dict_edges(PyObject *o, PyObject **out) {
    int i, n = 0;
    if (OWN_DICT) {
        PyObject **own = _PyObject_GetDictPtr(o);
        if (own && *own) out[n++] = *own;
        return n;
    }
    for (i = 0; i < 4; i++) {
        PyObject *part = entry_of(id_of(o))->lost_values ? NULL : get(o, i);
        if (part) out[n++] = part;
    }
    return n;
}

/* ---- start ---- */

/* A class of the same layout: the first instance decides the order of the attributes, so one is made. */
static const char twin_source[] =
    "def twin(c):\n"
    "    own = dict((k, v) for k, v in c.__dict__.items() if k not in ('__dict__', '__weakref__'))\n"
    "    made = type(c)(c.__name__, c.__bases__, own)\n"
    "    c(), made()\n"
    "    return made\n";

static int adopt_value_dict(PyObject *module) {
    static const char *const names[4] = {"_remove", "_pending_removals", "_iterating", "data"};
    PyObject *scope = PyDict_New(), *twin, *keyed, *r;
    int i;
    for (i = 0; i < 4; i++)
#if PY_MAJOR_VERSION >= 3
        if (!(attribute[i] = PyUnicode_InternFromString(names[i]))) return -1;
#else
        return 0;
#endif
    value_dict = (PyTypeObject *)PyObject_GetAttrString(module, "WeakValueDictionary");
    keyed = PyObject_GetAttrString(module, "KeyedRef");
    if (!scope || !value_dict || !keyed) return -1;
    if (PyDict_SetItemString(scope, "__builtins__", PyEval_GetBuiltins()) < 0) return -1;
    r = PyRun_String(twin_source, Py_file_input, scope, scope);
    if (!r) return -1;
    Py_DECREF(r);
    twin = PyObject_CallFunctionObjArgs(PyDict_GetItemString(scope, "twin"), value_dict, NULL);
    Py_DECREF(scope);
    if (!twin) return -1;
    /* As keys they are told apart by identity, as everything else. */
    keys_by_identity(value_dict);
    if (weak_adopt_keyed((PyTypeObject *)keyed) < 0) return -1;
    return pyclass_adopt_value_dict(value_dict, (PyTypeObject *)twin);
}

static struct { PyObject *object, *weak, *function; Py_ssize_t objects, weaks, functions; } measured;

static void measure_now(void) {
    measured.objects = Py_REFCNT(measured.object) - measured.objects;
    measured.weaks = Py_REFCNT(measured.weak) - measured.weaks;
    measured.functions = Py_REFCNT(measured.function) - measured.functions;
}

/* Calls a finalize object as weak references call their callbacks. */
static int measure(void) {
    static const Kind node = {SHAPE_NODE, 0, 0, 0, 0, 0, 0, FINALIZER_NONE, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT};
    PyObject *referent = node_new(&node), *f = function_new(NULL, NULL), *kept, *r;
    if (!referent || !f) return -1;
    measured.function = f;
    measured.object = PyObject_CallFunctionObjArgs((PyObject *)type, referent, f, Py_None, NULL);
    if (!measured.object) return -1;
    entry(measured.object, &kept, &measured.weak);
    if (!kept || !measured.weak) return -1;
    Py_DECREF(kept);
    measured.objects = Py_REFCNT(measured.object);
    measured.weaks = Py_REFCNT(measured.weak);
    measured.functions = Py_REFCNT(f);
    function_watch = measure_now;
    r = PyObject_CallFunctionObjArgs(measured.object, measured.weak, NULL);
    function_watch = NULL;
    if (!r) return -1;
    Py_DECREF(r);
    /* Known are: of the object, that the registry has let it go and that the frame holds it; of the weak reference, the
     * frame and the argument tuple; of the function, the stack of the frame and (3.11) the function's own. */
    extra_object = (int)measured.objects;
    extra_weak = (int)measured.weaks - 2;
    function_extra_in_library = (int)measured.functions - 1 - (PY_VERSION_HEX >= 0x030b0000);
    function_forget(f);
    Py_DECREF(f);
    Py_DECREF(measured.weak);
    Py_DECREF(measured.object);
    Py_DECREF(referent);
    return 0;
}

/* The class is missing before 3.4. */
int library_setup(void) {
#if PY_VERSION_HEX >= 0x03040000
    PyObject *module = PyImport_ImportModule("weakref");
    if (!module) return -1;
    type = (PyTypeObject *)PyObject_GetAttrString(module, "finalize");
    registry = type ? PyObject_GetAttrString((PyObject *)type, "_registry") : NULL;
    if (!registry || !PyDict_Check(registry)) return -1;
    original_call = type->tp_call;
    type->tp_call = call;
    if (adopt_value_dict(module) < 0) return -1;
    return pyclass_adopt_finalize(type) < 0 ? -1 : measure();
#else
    return 0;
#endif
}
