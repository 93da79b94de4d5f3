/* Weak containers of the library, in its own code: weakref.WeakValueDictionary and WeakSet. The classes are the running interpreter's;
 * only the death of their instances is watched. What they are made of is found after the constructor has returned, and what
 * their code has done to the data is found out before each snapshot (src/model/machine/library_container.rs). */
#include "probe.h"
#include <stdlib.h>

#define OWN_DICT (!HAS__PyInterpreterFrame) /* up to 3.10 every instance has a dict of its own */

#define PLAIN(shape) {shape, 0, 0, 0, 0, 0, 0, FINALIZER_NONE, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT}
static const Kind dict_kind = PLAIN(SHAPE_DICT), list_kind = PLAIN(SHAPE_LIST), ref_kind = PLAIN(SHAPE_REF),
                  tuple_kind = PLAIN(SHAPE_TUPLE), cell_kind = PLAIN(SHAPE_CELL),
                  function_kind = PLAIN(SHAPE_FUNCTION), keyed_kind = PLAIN(SHAPE_KEYED_REF);

static PyTypeObject *value_dict, *weak_set;
enum { REMOVE, PENDING, ITERATING, DATA, ATTRIBUTES };
static PyObject *attribute[ATTRIBUTES];
/* Without it removals are not put off (3.14 and later). */
static int puts_off;

/* By number of the objects; `entry` is what is told of each slot of the data, by number; none once that is emptied.
 * `put_off` is the same of a set's list of removals put off. */
typedef struct {
    uint32_t object, data, pending, entry[MAX_ITEMS], put_off[MAX_ITEMS], numbers;
    int gone, iterated;
} Container;
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
    if (!PyFunction_Check(f) || !f->func_defaults) return -1;
    if (!PyDict_Check(p->attribute[DATA]) && !PySet_Check(p->attribute[DATA])) return -1;
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
    int i, keyed = kind->shape == SHAPE_LIBRARY_VALUE_DICT;
    add_object(o, kind, origin, ROLE_NAMED);
    if (!keyed) {
        add_object(part[DATA], &dict_kind, origin, ROLE_CONTAINER_DATA);
        if (p->own) add_object(p->own, &dict_kind, origin, ROLE_CONTAINER_DICT);
    }
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
    if (keyed && p->own) add_object(p->own, &dict_kind, origin, ROLE_CONTAINER_DICT);
    if (puts_off) {
        add_object(part[PENDING], &list_kind, origin, ROLE_CONTAINER_PENDING);
        add_object(part[ITERATING], &list_kind, origin, ROLE_CONTAINER_ITERATING);
    }
    if (keyed) add_object(part[DATA], &dict_kind, origin, ROLE_CONTAINER_DATA);
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
    PyObject *type = (PyObject *)(kind->shape == SHAPE_LIBRARY_VALUE_DICT ? value_dict : weak_set);
    PyObject *o = PyObject_Call(type, P.no_args, NULL);
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
    c->pending = PySet_Check(parts.attribute[DATA]) && puts_off ? id_of(parts.attribute[PENDING]) : 0;
    return o;
}

/* ---- what has left ---- */

void library_data_gone(uint32_t id) {
    int i;
    for (i = 0; i < n_all; i++)
        if (all[i].data == id) all[i].gone = 1;
}

/* Tells of weak references that are new in the list of removals put off. */
static void tell_put_off(Container *c) {
    PyObject *list = c->pending ? entry_of(c->pending)->object : NULL;
    Py_ssize_t i;
    for (i = 0; list && i < PyList_GET_SIZE(list) && i < MAX_ITEMS; i++) {
        PyObject *weak = PyList_GET_ITEM(list, i);
        if (c->put_off[i] || !id_of(weak)) continue;
        c->put_off[i] = id_of(weak);
        report_store(list, (uint32_t)i, weak);
    }
}

/* True if an entry that was told is in the data still. */
static int is_there(PyObject *data, uint32_t slot, uint32_t weak) {
    PyObject *o = entry_of(weak)->object;
    if (PyDict_Check(data)) {
        PyObject *found = dict_get(data, slot);
        return found && id_of(found) == weak;
    }
    return o && PySet_Contains(data, o) == 1;
}

static void tell_entry_gone(Container *c, PyObject *data, uint32_t slot) {
    PyObject *list = c->pending ? entry_of(c->pending)->object : NULL;
    uint32_t i;
    for (i = 0; i < MAX_ITEMS; i++) {
        if (c->put_off[i] != c->entry[slot]) continue;
        c->put_off[i] = 0;
        if (list) report_store(list, i, NULL);
    }
    c->entry[slot] = 0;
    report_store(data, slot, NULL);
}

void library_tell_deleted(int everything) {
    int i;
    uint32_t slot;
    if (P.silent) return;
    for (i = 0; i < n_all; i++) {
        PyObject *data = entry_of(all[i].data)->object;
        if (!data || all[i].gone || Py_REFCNT(data) == 0) continue;
        if (everything) tell_put_off(&all[i]);
        for (slot = 0; slot < MAX_ITEMS; slot++)
            if (all[i].entry[slot] && !is_there(data, slot, all[i].entry[slot])) tell_entry_gone(&all[i], data, slot);
    }
}

/* ---- operations ---- */

/* Tells of a new entry. */
static void tell_entry(Container *c, PyObject *o, PyObject *weak, uint32_t slot, const Kind *kind) {
    PyWeakReference *w = (PyWeakReference *)weak;
    add_weak(weak, kind, entry_of(id_of(o))->origin, ROLE_CONTAINER_ENTRY, w->wr_object, w->wr_callback);
    entry_of(id_of(weak))->number = slot;
    c->entry[slot] = id_of(weak);
    report_store(get(o, DATA), slot, weak);
}

/* Stores or deletes an entry of a dictionary. */
static int store_value(Container *c, PyObject *o, uint32_t slot, PyObject *value) {
    PyObject *data = get(o, DATA), *key, *weak;
    int r;
    if (!value && !dict_get(data, slot)) return 0;
    key = PyLong_FromLong((long)slot);
    if (!key) return 0;
    r = value ? PyObject_SetItem(o, key, value) : PyObject_DelItem(o, key);
    Py_DECREF(key);
    if (r < 0) PyErr_Clear();
    if (!value) return r == 0;
    weak = r < 0 ? NULL : dict_get(data, slot);
    if (weak && !id_of(weak)) tell_entry(c, o, weak, slot, &keyed_kind);
    return 1;
}

/* The weak reference that a container has made to its new element, if it has made one. */
static PyObject *new_reference(PyObject *referent, PyObject *callback) {
    PyWeakReference *w;
    for (w = weak_list(referent); w; w = w->wr_next)
        if (w->wr_callback == callback && !id_of((PyObject *)w)) return (PyObject *)w;
    return NULL;
}

static int add_element(Container *c, PyObject *o, PyObject *value) {
    PyObject *r, *weak;
    if (c->numbers >= MAX_ITEMS) return 0;
    r = PyObject_CallMethod(o, (char *)"add", (char *)"O", value);
    Py_XDECREF(r);
    PyErr_Clear();
    weak = new_reference(value, get(o, REMOVE));
    if (weak) tell_entry(c, o, weak, c->numbers++, &ref_kind);
    return 1;
}

int library_container_store(PyObject *o, uint32_t slot, PyObject *value) {
    Container *c = by_object(id_of(o));
    int is_dict = shape_of(o) == SHAPE_LIBRARY_VALUE_DICT, done;
    /* While it is iterated over its iterator would end with an error. */
    if (!c || !get(o, DATA) || !get(o, REMOVE) || slot >= MAX_ITEMS || c->iterated) return 0;
    if (value ? !can_have_weakrefs(shape_of(value)) : !is_dict) return 0;
    done = is_dict ? store_value(c, o, slot, value) : add_element(c, o, value);
    if (done) Py_XDECREF(value); /* the container holds it weakly */
    return done;
}

int library_container_len(PyObject *o) {
    PyObject *data = get(o, DATA);
    Py_ssize_t n;
    if (!data) return 0;
    n = PyObject_Size(o);
    if (n < 0) PyErr_Clear();
    library_tell_deleted(1);
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
    generator = shape_of(o) == SHAPE_LIBRARY_VALUE_DICT ? PyObject_CallMethod(o, (char *)"values", NULL) : PyObject_GetIter(o);
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

static int add_edge(PyObject *content, void *to) {
    PyObject ***at = to;
    if (id_of(content)) *(*at)++ = content;
    return 0;
}

/* In the order of the release. */
int library_container_edges(PyObject *o, PyObject **out) {
    PyObject **end = out;
    Py_TYPE(o)->tp_traverse(o, add_edge, &end);
    return (int)(end - out);
}

/* The elements of a set, in the order of its table. */
int library_set_edges(PyObject *set, PyObject **out) {
    PySetObject *s = (PySetObject *)set;
    Py_ssize_t i;
    int n = 0;
    for (i = 0; i <= s->mask && n < MAX_ITEMS; i++)
        if (s->table[i].key && id_of(s->table[i].key)) out[n++] = s->table[i].key;
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

static int adopt(PyTypeObject *type, int shape) {
    PyTypeObject *twin = twin_of(type);
    /* As keys they are told apart by identity, as everything else. */
    keys_by_identity(type);
    return twin ? pyclass_adopt_container(type, twin, shape) : -1;
}

int library_containers_setup(PyObject *module) {
#if PY_MAJOR_VERSION >= 3
    static const char *const names[ATTRIBUTES] = {"_remove", "_pending_removals", "_iterating", "data"};
    PyObject *keyed = PyObject_GetAttrString(module, "KeyedRef"), *one;
    int i;
    for (i = 0; i < ATTRIBUTES; i++)
        if (!(attribute[i] = PyUnicode_InternFromString(names[i]))) return -1;
    value_dict = (PyTypeObject *)PyObject_GetAttrString(module, "WeakValueDictionary");
    weak_set = (PyTypeObject *)PyObject_GetAttrString(module, "WeakSet");
    if (!value_dict || !weak_set || !keyed) return -1;
    one = PyObject_Call((PyObject *)value_dict, P.no_args, NULL);
    if (!one) return -1;
    puts_off = PyObject_HasAttr(one, attribute[PENDING]);
    Py_DECREF(one);
    if (adopt(value_dict, SHAPE_LIBRARY_VALUE_DICT) < 0 || adopt(weak_set, SHAPE_LIBRARY_SET) < 0) return -1;
    return weak_adopt_keyed((PyTypeObject *)keyed);
#else
    return 0;
#endif
}
