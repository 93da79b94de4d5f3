/* Weak containers and weakref.finalize, composed of real dicts, functions, weak references and instances of Python
 * classes as the library composes them, with the library's Python code done natively (src/model/machine/container.rs). */
#include "probe.h"

#define MAX_CONTAINERS 64
#define MAX_PENDING 256
#define PUTS_OFF (PY_VERSION_HEX < 0x030e0000)         /* removals wait while the container is iterated */
#define HAS_CLOSURE (PY_VERSION_HEX >= 0x03000000 && PY_VERSION_HEX < 0x03070000)
#define COUNTS_DEAD (PY_MAJOR_VERSION < 3)             /* len() counts what waits */

#define PLAIN(shape) {shape, 0, 0, 0, 0, 0, 0, FINALIZER_NONE, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT}
static const Kind dict_kind = PLAIN(SHAPE_DICT), ref_kind = PLAIN(SHAPE_REF), tuple_kind = PLAIN(SHAPE_TUPLE),
                  cell_kind = PLAIN(SHAPE_CELL), function_kind = PLAIN(SHAPE_FUNCTION),
                  keyed_kind = PLAIN(SHAPE_KEYED_REF);

/* By number of the objects. `entries` counts those of the data dict, deleted ones included. */
typedef struct { uint32_t object, data, selfref, function; int iterating; uint32_t entries; } Container;
static Container all[MAX_CONTAINERS];
static int n_all;
/* A removal that was put off: the slot of a KeyedRef, or the number of another weak reference. */
static struct { uint32_t function, slot, weak; } pending[MAX_PENDING];
static int n_pending;

void container_reset(void) { n_all = n_pending = 0; }

static PyObject *alive(uint32_t id) { return entry_of(id)->object; }

static Container *by_object(uint32_t id) {
    int i;
    for (i = 0; i < n_all; i++)
        if (all[i].object == id && alive(id)) return &all[i];
    return NULL;
}

static Container *by_function(uint32_t id) {
    int i;
    for (i = 0; i < n_all; i++)
        if (all[i].function == id) return &all[i];
    return NULL;
}

int is_container_function(uint32_t id) { return entry_of(id)->role == ROLE_CONTAINER_REMOVE; }

/* ---- creation ---- */

static void part(PyObject *o, const Kind *kind, uint32_t origin, uint32_t role) {
    add_object(o, kind, origin, role);
}

PyObject *container_new(const Kind *kind, uint32_t origin) {
    PyObject *o = pyclass_new(kind), *data, *selfref, *defaults, *cell, *closure = NULL, *function;
    Container *c = &all[n_all];
    if (n_all == MAX_CONTAINERS) events_give_up(GAVE_UP_CONTAINERS);
    if (!o || n_all == MAX_CONTAINERS) goto fail;
    part(o, kind, origin, ROLE_NAMED);
    if (!(data = PyDict_New())) goto fail;
    part(data, &dict_kind, origin, ROLE_CONTAINER_DATA);
    if (!(selfref = PyWeakref_NewRef(o, NULL))) goto fail;
    add_weak(selfref, &ref_kind, origin, ROLE_CONTAINER_SELF, o, NULL);
    if (!(defaults = PyTuple_Pack(1, selfref))) goto fail;
    Py_DECREF(selfref);
    part(defaults, &tuple_kind, origin, ROLE_CONTAINER_DEFAULTS);
    report_store(defaults, 0, selfref);
    if (HAS_CLOSURE) {
        if (!(cell = PyCell_New(data))) goto fail;
        part(cell, &cell_kind, origin, ROLE_CONTAINER_CELL);
        report_store(cell, 0, data);
        if (!(closure = PyTuple_Pack(1, cell))) goto fail;
        Py_DECREF(cell);
        part(closure, &tuple_kind, origin, ROLE_CONTAINER_CLOSURE);
        report_store(closure, 0, cell);
    }
    if (!(function = function_new(closure, defaults))) goto fail;
    Py_XDECREF(closure);
    Py_DECREF(defaults);
    part(function, &function_kind, origin, ROLE_CONTAINER_REMOVE);
    if (closure) report_store(function, 0, closure);
    report_store(function, 1, defaults);
    *slotted_slot(o, 0) = data;
    report_store(o, 0, data);
    *slotted_slot(o, 1) = function;
    report_store(o, 1, function);
    c->object = id_of(o);
    c->data = id_of(data);
    c->selfref = id_of(selfref);
    c->function = id_of(function);
    c->iterating = 0;
    c->entries = 0;
    n_all++;
    return o;
fail:
    PyErr_Clear();
    events_give_up(GAVE_UP_ERROR);
    return NULL;
}

/* ---- removal ---- */

static void remove_slot(PyObject *data, uint32_t slot) {
    PyObject *w = dict_get(data, slot), *referent = w ? weak_answer(w) : NULL;
    if (!w) return;
    if (referent) Py_DECREF(referent); /* a new entry under the same key */
    else dict_store(data, slot, NULL);
}

static void remove_weak(Container *c, PyObject *data, uint32_t weak) {
    PyObject *key = alive(weak), *value;
    uint32_t number = entry_of(weak)->number;
    if (!key) return;
    if (shape_of(alive(c->object)) == SHAPE_WEAK_SET) {
        if (dict_get(data, number) == key) dict_store(data, number, NULL);
        return;
    }
    value = PyDict_GetItem(data, key);
    if (!value) return;
    Py_INCREF(key);
    Py_INCREF(value);
    if (PyDict_DelItem(data, key) < 0) PyErr_Clear();
    report_store(data, 2 * number, NULL);
    report_store(data, 2 * number + 1, NULL);
    Py_DECREF(key);
    Py_DECREF(value);
}

static void remove_entry(Container *c, uint32_t slot, uint32_t weak) {
    PyObject *data = alive(c->data);
    if (!data) return;
    if (weak) remove_weak(c, data, weak);
    else remove_slot(data, slot);
}

/* Makes the removals that were put off, the last first. */
static void commit(uint32_t object) {
    for (;;) {
        Container *c = by_object(object);
        int i = n_pending;
        uint32_t slot, weak;
        if (!c) return;
        while (i > 0 && pending[i - 1].function != c->function) i--;
        if (i == 0) return;
        slot = pending[i - 1].slot;
        weak = pending[i - 1].weak;
        memmove(&pending[i - 1], &pending[i], (size_t)(n_pending - i) * sizeof pending[0]);
        n_pending--;
        remove_entry(c, slot, weak);
    }
}

/* The body of the removal callback. */
static void removal(uint32_t function, PyObject *weak) {
    Container *c = by_function(function);
    uint32_t id = id_of(weak), slot = 0;
    PyObject *object;
    if (!c || !alive(c->object) || !alive(c->selfref)) return;
    object = weak_answer(alive(c->selfref));
    if (!object) return;
    if (shape_of(weak) == SHAPE_KEYED_REF) {
        slot = entry_of(id)->number;
        id = 0;
    }
    if (PUTS_OFF && c->iterating > 0) {
        if (n_pending == MAX_PENDING) {
            events_give_up(GAVE_UP_REMOVALS);
        } else {
            pending[n_pending].function = function;
            pending[n_pending].slot = slot;
            pending[n_pending++].weak = id;
        }
    } else {
        remove_entry(c, slot, id);
    }
    Py_DECREF(object);
}

/* User code that is no script but one step of the library. */
void run_removal(PyObject *function, PyObject *weak) {
    emit(EV_ENTER, CODE_CALLBACK, id_of(function), id_of(weak));
    snapshot();
    P.frame.depth++;
    removal(id_of(function), weak);
    P.frame.depth--;
    emit(EV_LEAVE, 0, 0, 0);
    snapshot();
}

/* ---- entries ---- */

static uint32_t find_entry(PyObject *data, uint32_t referent) {
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (PyDict_Next(data, &at, &key, &value)) {
        uint32_t weak = id_of(key) ? id_of(key) : id_of(value);
        if (weak && entry_of(weak)->referent == referent && ((PyWeakReference *)alive(weak))->wr_object != Py_None)
            return weak;
    }
    return 0;
}

static void add_entry(uint32_t object, uint32_t slot, PyObject *value) {
    Container *c = by_object(object);
    PyObject *o, *data, *function, *content, *weak, *old;
    uint32_t id;
    Py_ssize_t before;
    int shape;
    if (!c || !(data = alive(c->data)) || !(function = alive(c->function))) return;
    o = alive(object);
    shape = shape_of(o);
    content = slot_get(value, slot);
    id = shape == SHAPE_WEAK_VALUE_DICT ? 0 : find_entry(data, id_of(value));
    if (id) {
        if (shape == SHAPE_WEAK_SET) return;
        old = PyDict_GetItem(data, alive(id));
        Py_XINCREF(old);
        if (PyDict_SetItem(data, alive(id), content) < 0) PyErr_Clear();
        report_store(data, 2 * entry_of(id)->number + 1, content);
        Py_XDECREF(old);
        return;
    }
    weak = weak_new(shape == SHAPE_WEAK_VALUE_DICT ? SHAPE_KEYED_REF : SHAPE_REF, value, function);
    if (!weak) goto fail;
    add_weak(weak, shape == SHAPE_WEAK_VALUE_DICT ? &keyed_kind : &ref_kind, entry_of(object)->origin,
             ROLE_CONTAINER_ENTRY, value, function);
    id = id_of(weak);
    if (!id) goto fail;
    if (shape == SHAPE_WEAK_VALUE_DICT) {
        entry_of(id)->number = slot;
        if (!dict_get(data, slot)) c->entries++;
        dict_store(data, slot, weak);
        return;
    }
    entry_of(id)->number = c->entries;
    if (shape == SHAPE_WEAK_SET) {
        dict_store(data, c->entries++, weak);
        return;
    }
    before = PyDict_Size(data);
    /* Keys that are equal without being the same object are none of the model's. */
    if (PyDict_SetItem(data, weak, content) < 0 || PyDict_Size(data) == before) goto fail;
    Py_DECREF(weak);
    report_store(data, 2 * c->entries, weak);
    report_store(data, 2 * c->entries + 1, content);
    c->entries++;
    return;
fail:
    PyErr_Clear();
    events_give_up(GAVE_UP_ERROR);
}

int container_store(PyObject *o, uint32_t slot, PyObject *value) {
    uint32_t id = id_of(o);
    Container *c = by_object(id);
    int shape = shape_of(o);
    PyObject *data = *slotted_slot(o, 0);
    if (!c || !data || slot >= MAX_ITEMS) return 0;
    if (!value) return shape == SHAPE_WEAK_VALUE_DICT && dict_store(data, slot, NULL);
    if (!can_have_weakrefs(shape_of(value)) || c->entries >= MAX_ITEMS) return 0;
    if (shape == SHAPE_WEAK_KEY_DICT && !slot_get(value, slot)) return 0;
    if (shape != SHAPE_WEAK_KEY_DICT) commit(id);
    add_entry(id, slot, value);
    Py_DECREF(value); /* the container holds it weakly */
    return 1;
}

/* ---- length and iteration ---- */

static int composed_len(PyObject *o) {
    uint32_t id = o ? id_of(o) : 0, waiting = 0, raw, len;
    Container *c = id ? by_object(id) : NULL;
    int i, keyed;
    if (!c) return 0;
    keyed = shape_of(o) == SHAPE_WEAK_VALUE_DICT;
    if (keyed && !COUNTS_DEAD) {
        commit(id);
        if (!(c = by_object(id))) return 1;
    }
    for (i = 0; i < n_pending; i++) waiting += pending[i].function == c->function;
    raw = alive(c->data) ? (uint32_t)PyDict_Size(alive(c->data)) : 0;
    len = COUNTS_DEAD && shape_of(o) != SHAPE_WEAK_SET ? raw : raw - (waiting < raw ? waiting : raw);
    emit(EV_LENGTH, 0, id, (uint64_t)len | (uint64_t)raw << 32);
    return 1;
}

int op_len(PyObject *o) {
    return o && is_library_container(shape_of(o)) ? library_container_len(o) : composed_len(o);
}

int op_iterate(PyObject *o, uint32_t script) {
    uint32_t id = o ? id_of(o) : 0;
    Container *c = id ? by_object(id) : NULL;
    PyObject *data, *key, *value, *entries;
    Py_ssize_t at = 0, n = 0, i;
    Frame outer = P.frame;
    if (P.frame.depth > 0 || in_repeated_body) return 0;
    if (o && is_library_container(shape_of(o))) return library_container_iterate(o, script);
    if (!c) return 0;
    data = alive(c->data);
    n = data ? PyDict_Size(data) : 0;
    entries = PyTuple_New(n ? n : 1); /* one of its own, whose end is that of a tuple */
    n = 0;
    if (!entries) {
        events_give_up(GAVE_UP_ERROR);
        return 1;
    }
    c->iterating++;
    Py_INCREF(o);
    while (data && PyDict_Next(data, &at, &key, &value)) {
        PyObject *weak = id_of(key) ? key : value;
        Py_INCREF(weak);
        PyTuple_SET_ITEM(entries, n++, weak);
    }
    for (i = 0; i < n && !P.silent; i++) {
        PyObject *entry = weak_answer(PyTuple_GET_ITEM(entries, i));
        if (!entry) continue;
        emit(EV_YIELDED, 0, id, id_of(entry));
        P.frame.owner = NULL;
        P.frame.arg = entry;
        in_repeated_body = 1;
        run_body(script + 1);
        in_repeated_body = 0;
        P.frame = outer;
        Py_DECREF(entry);
    }
    Py_DECREF(entries);
    c = by_object(id);
    if (c && --c->iterating == 0) commit(id);
    Py_DECREF(o);
    return 1;
}

/* ---- weakref.finalize ---- */

PyObject *finalize_new(const Kind *kind, PyObject *referent, PyObject *callable, uint32_t origin) {
    PyObject *o = pyclass_new(kind), *weak;
    if (!o) goto fail;
    Py_INCREF(callable);
    *slotted_slot(o, 0) = callable;
    add_object(o, kind, origin, ROLE_NAMED);
    report_store(o, 0, callable);
    weak = PyWeakref_NewRef(referent, o);
    if (!weak) goto fail;
    add_weak(weak, &ref_kind, origin, ROLE_FINALIZE_REF, referent, o);
    *slotted_slot(o, 1) = weak;
    report_store(o, 1, weak);
    Py_INCREF(o); /* the registry's */
    entry_of(id_of(o))->registered = 1;
    return o;
fail:
    PyErr_Clear();
    events_give_up(GAVE_UP_ERROR);
    return NULL;
}

static void run_finalize(PyObject *o) {
    PyObject *callable = *slotted_slot(o, 0), *weak = *slotted_slot(o, 1), *r;
    *slotted_slot(o, 0) = *slotted_slot(o, 1) = NULL;
    if (!callable) {
        Py_XDECREF(weak);
        return;
    }
    report_store(o, 0, NULL);
    report_store(o, 1, NULL);
    r = call_function(callable, CALLING);
    if (r) Py_DECREF(r);
    else PyErr_WriteUnraisable(callable);
    Py_DECREF(callable);
    Py_XDECREF(weak);
    entry_of(id_of(o))->registered = 0;
    Py_DECREF(o);
}

PyObject *finalize_call(PyObject *o, PyObject *args, PyObject *kw) {
    PyObject *weak = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : NULL;
    P.calling = 0;
    if (id_of(o) && !P.silent) {
        emit(EV_ENTER, CODE_CALLBACK, id_of(o), weak ? id_of(weak) : 0);
        snapshot();
        P.frame.depth++;
        run_finalize(o);
        P.frame.depth--;
        emit(EV_LEAVE, 0, 0, 0);
        snapshot();
    }
    Py_INCREF(Py_None);
    return Py_None;
}
