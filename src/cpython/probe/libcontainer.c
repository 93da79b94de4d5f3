/* Weak containers of the library, in its own code: weakref.WeakValueDictionary. The classes are the running interpreter's;
 * only the death of their instances is watched. What they are made of is found after the constructor has returned, and what
 * their code has done to the data is found out before each snapshot (src/model/machine/library_dict.rs). */
#include "probe.h"
#include <stdlib.h>

#define OWN_DICT (!HAS__PyInterpreterFrame) /* up to 3.10 every instance has a dict of its own */

#define PLAIN(shape) {shape, 0, 0, 0, 0, 0, 0, FINALIZER_NONE, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT}
static const Kind dict_kind = PLAIN(SHAPE_DICT), list_kind = PLAIN(SHAPE_LIST), ref_kind = PLAIN(SHAPE_REF),
                  tuple_kind = PLAIN(SHAPE_TUPLE), cell_kind = PLAIN(SHAPE_CELL),
                  function_kind = PLAIN(SHAPE_FUNCTION), keyed_kind = PLAIN(SHAPE_KEYED_REF);

static PyTypeObject *value_dict;
enum { REMOVE, PENDING, ITERATING, DATA, ATTRIBUTES };
static PyObject *attribute[ATTRIBUTES];
/* Without it removals are not put off (3.14 and later). */
static int puts_off;

/* By number of the objects; `entry` is what is told of each slot of the data, by number; none once that is emptied. */
typedef struct { uint32_t object, data, entry[MAX_ITEMS]; int gone, iterated; } Container;
static Container *all;
static int n_all, room;

void library_containers_reset(void) { n_all = 0; }

static Container *by_object(uint32_t id) {
    int i;
    for (i = 0; i < n_all; i++)
        if (all[i].object == id) return &all[i];
    return NULL;
}

/* Borrowed: the object holds it. NULL once tp_clear has taken it. */
static PyObject *get(PyObject *o, int which) {
    PyObject *r = entry_of(id_of(o))->lost_values ? NULL : PyObject_GenericGetAttr(o, attribute[which]);
    if (r) Py_DECREF(r);
    else PyErr_Clear();
    return r;
}

/* ---- creation ---- */

/* The parts of a container. Borrowed; NULL where the release has none. */
typedef struct { PyObject *attribute[ATTRIBUTES], *closure, *cell, *defaults, *selfref, *own; } Parts;

static int find_parts(PyObject *o, Parts *p) {
    PyFunctionObject *f;
    int i;
    for (i = 0; i < ATTRIBUTES; i++) {
        p->attribute[i] = PyObject_GenericGetAttr(o, attribute[i]);
        if (!p->attribute[i] && (puts_off || i == REMOVE || i == DATA)) return -1;
        Py_XDECREF(p->attribute[i]);
        PyErr_Clear();
    }
    f = (PyFunctionObject *)p->attribute[REMOVE];
    if (!PyFunction_Check(f) || !PyDict_Check(p->attribute[DATA]) || !f->func_defaults) return -1;
    p->closure = f->func_closure;
    p->defaults = f->func_defaults;
    p->selfref = PyTuple_GET_SIZE(p->defaults) ? PyTuple_GET_ITEM(p->defaults, 0) : NULL;
    p->cell = p->closure && PyTuple_GET_SIZE(p->closure) ? PyTuple_GET_ITEM(p->closure, 0) : NULL;
    p->own = OWN_DICT ? *_PyObject_GetDictPtr(o) : NULL;
    return p->selfref && PyWeakref_Check(p->selfref) ? 0 : -1;
}

/* Tells of them, in the order in which the constructor has made them. */
static void report_parts(PyObject *o, const Kind *kind, uint32_t origin, const Parts *p) {
    PyObject *const *part = p->attribute;
    uint32_t slot = p->own ? 0 : 2;
    int i;
    add_object(o, kind, origin, ROLE_NAMED);
    if (p->cell) add_object(p->cell, &cell_kind, origin, ROLE_CONTAINER_CELL);
    add_weak(p->selfref, &ref_kind, origin, ROLE_CONTAINER_SELF, o, ((PyWeakReference *)p->selfref)->wr_callback);
    add_object(p->defaults, &tuple_kind, origin, ROLE_CONTAINER_DEFAULTS);
    report_store(p->defaults, 0, p->selfref);
    if (p->cell) {
        add_object(p->closure, &tuple_kind, origin, ROLE_CONTAINER_CLOSURE);
        report_store(p->closure, 0, p->cell);
    }
    add_object(part[REMOVE], &function_kind, origin, ROLE_CONTAINER_REMOVE);
    if (p->cell) report_store(part[REMOVE], 0, p->closure);
    report_store(part[REMOVE], 1, p->defaults);
    if (p->own) add_object(p->own, &dict_kind, origin, ROLE_CONTAINER_DICT);
    if (puts_off) {
        add_object(part[PENDING], &list_kind, origin, ROLE_CONTAINER_PENDING);
        add_object(part[ITERATING], &list_kind, origin, ROLE_CONTAINER_ITERATING);
    }
    add_object(part[DATA], &dict_kind, origin, ROLE_CONTAINER_DATA);
    if (p->cell) report_store(p->cell, 0, part[DATA]);
    report_store(o, 0, part[DATA]);
    report_store(o, 1, part[REMOVE]);
    if (p->own) report_store(o, 2, p->own);
    for (i = PENDING; puts_off && i <= ITERATING; i++) report_store(p->own ? p->own : o, slot++, part[i]);
}

static Container *add_container(void) {
    if (n_all == room) {
        int more = room ? 2 * room : 16;
        Container *grown = realloc(all, (size_t)more * sizeof *all);
        if (!grown) return NULL;
        all = grown;
        room = more;
    }
    memset(&all[n_all], 0, sizeof *all);
    return &all[n_all++];
}

PyObject *library_container_new(const Kind *kind, uint32_t origin) {
    PyObject *o = PyObject_Call((PyObject *)value_dict, P.no_args, NULL);
    Container *c = o ? add_container() : NULL;
    Parts parts;
    if (!c || find_parts(o, &parts) < 0) {
        Py_XDECREF(o);
        PyErr_Clear();
        events_give_up(GAVE_UP_ERROR);
        return NULL;
    }
    report_parts(o, kind, origin, &parts);
    c->object = id_of(o);
    c->data = id_of(parts.attribute[DATA]);
    return o;
}

/* ---- what has left ---- */

void library_data_gone(uint32_t id) {
    int i;
    for (i = 0; i < n_all; i++)
        if (all[i].data == id) all[i].gone = 1;
}

void library_tell_deleted(void) {
    int i;
    uint32_t slot;
    if (P.silent) return;
    for (i = 0; i < n_all; i++) {
        PyObject *data = entry_of(all[i].data)->object;
        if (!data || all[i].gone) continue;
        for (slot = 0; slot < MAX_ITEMS; slot++) {
            PyObject *weak = all[i].entry[slot] ? dict_get(data, slot) : NULL;
            if (!all[i].entry[slot] || (weak && id_of(weak) == all[i].entry[slot])) continue;
            all[i].entry[slot] = 0;
            report_store(data, slot, NULL);
        }
    }
}

/* ---- operations ---- */

int library_container_store(PyObject *o, uint32_t slot, PyObject *value) {
    Container *c = by_object(id_of(o));
    PyObject *data = get(o, DATA), *remove = get(o, REMOVE), *key, *weak;
    int r;
    /* While it is iterated over its iterator would end with an error. */
    if (!c || !data || !remove || slot >= MAX_ITEMS || c->iterated) return 0;
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
        c->entry[slot] = id_of(weak);
        report_store(data, slot, weak);
    }
    Py_DECREF(value); /* the dictionary holds it weakly */
    return 1;
}

int library_container_len(PyObject *o) {
    PyObject *data = get(o, DATA);
    Py_ssize_t n;
    if (!data) return 0;
    n = PyObject_Size(o);
    if (n < 0) PyErr_Clear();
    library_tell_deleted();
    emit(EV_LENGTH, 0, id_of(o), (uint64_t)(uint32_t)n | (uint64_t)PyObject_Size(data) << 32);
    return 1;
}

/* The generator, its frame, guard and iterator are none of the scenario's objects: they are taken out of the collector's
 * lists once they are there, so that what they hold counts as referred to from outside. */
int library_container_iterate(PyObject *o, uint32_t script) {
    uint32_t id = id_of(o);
    Container *c = by_object(id);
    PyObject *generator, *entry, *last = gc_last(0);
    Frame outer = P.frame;
    int number, first = 1;
    if (!c || !get(o, DATA) || !weak_is_shared(SHAPE_REF, o)) return 0;
    number = (int)(c - all);
    c->iterated = 1;
    generator = PyObject_CallMethod(o, (char *)"values", NULL);
    if (!generator) events_give_up(GAVE_UP_ERROR);
    while (generator && !P.silent) {
        entry = PyIter_Next(generator);
        if (first) gc_hide_after(last);
        first = 0;
        if (!entry) break;
        emit(EV_YIELDED, 0, id, id_of(entry));
        P.frame.owner = NULL;
        P.frame.arg = entry;
        in_repeated_body = 1;
        run_body(script + 1);
        in_repeated_body = 0;
        P.frame = outer;
        Py_DECREF(entry);
    }
    PyErr_Clear(); /* the data has changed its size */
    all[number].iterated = 0;
    Py_XDECREF(generator);
    return 1;
}

int library_container_edges(PyObject *o, PyObject **out) {
    int i, n = 0;
    if (OWN_DICT) {
        PyObject **own = _PyObject_GetDictPtr(o);
        if (own && *own) out[n++] = *own;
        return n;
    }
    for (i = 0; i < ATTRIBUTES; i++) {
        PyObject *part = get(o, i);
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

static PyTypeObject *twin_of(PyTypeObject *type) {
    PyObject *scope = PyDict_New(), *r, *twin = NULL;
    if (!scope || PyDict_SetItemString(scope, "__builtins__", PyEval_GetBuiltins()) < 0) return NULL;
    r = PyRun_String(twin_source, Py_file_input, scope, scope);
    if (r) twin = PyObject_CallFunctionObjArgs(PyDict_GetItemString(scope, "twin"), type, NULL);
    Py_XDECREF(r);
    Py_DECREF(scope);
    return (PyTypeObject *)twin;
}

int library_containers_setup(PyObject *module) {
#if PY_MAJOR_VERSION >= 3
    static const char *const names[ATTRIBUTES] = {"_remove", "_pending_removals", "_iterating", "data"};
    PyObject *keyed = PyObject_GetAttrString(module, "KeyedRef"), *one;
    PyTypeObject *twin;
    int i;
    for (i = 0; i < ATTRIBUTES; i++)
        if (!(attribute[i] = PyUnicode_InternFromString(names[i]))) return -1;
    value_dict = (PyTypeObject *)PyObject_GetAttrString(module, "WeakValueDictionary");
    if (!value_dict || !keyed || !(twin = twin_of(value_dict))) return -1;
    one = PyObject_Call((PyObject *)value_dict, P.no_args, NULL);
    if (!one) return -1;
    puts_off = PyObject_HasAttr(one, attribute[PENDING]);
    Py_DECREF(one);
    /* As keys they are told apart by identity, as everything else. */
    keys_by_identity(value_dict);
    if (weak_adopt_keyed((PyTypeObject *)keyed) < 0) return -1;
    return pyclass_adopt_value_dict(value_dict, twin);
#else
    return 0;
#endif
}
