/* Objects of built-in types, with their death and tp_clear made visible: the slots of the static types are replaced
 * by wrappers that report what they know about the object and go on to the original. */
#include "probe.h"
#include <stdlib.h>

static struct { PyTypeObject *type; destructor dealloc; inquiry clear; } wrapped[7];
enum { W_LIST, W_TUPLE, W_DICT, W_SET, W_CELL, W_FUNCTION, W_METHOD };

static PyObject *small_ints[DICT_KEYS];

/* ---- death and clear ---- */

/* Deallocations of wrapped types in progress. Up to 3.7 and in 3.13 the one in which the original empties the trashcan
 * does so before it returns, though its own object is freed by then: the first that was put off reports it. */
static Dying *innermost;

void dying_begins(Dying *d, uint32_t id) {
    d->id = id;
    d->outer = innermost;
    innermost = d;
}

void dying_ends(Dying *d) { innermost = d->outer; }

static void report_freed(Dying *d) {
    uint32_t id = d->id;
    d->id = 0;
    if (!id) return;
    emit(EV_FREE, 0, id, 0);
    table_remove(id);
}

/* The deallocation of an object starts, perhaps one that was put off. */
void dealloc_put_off(uint32_t id) {
    int original_empties = !TRASHCAN_ASKS_THE_TYPE;
    if (entry_of(id)->put_off && innermost && original_empties) report_freed(innermost);
    entry_of(id)->put_off = 0;
}

static void wrapped_dealloc(PyObject *o, int w) {
    Dying mine;
    uint32_t id = id_of(o);
    int in_trashcan = w <= W_SET;
    if (id) dealloc_put_off(id);
    if (in_trashcan && !trashcan_enter(o)) {
        if (id) entry_of(id)->put_off = 1;
        return;
    }
    if (id && entry_of(id)->role == ROLE_CONTAINER_DATA) library_data_gone(id);
    if (id) emit(EV_DEALLOC, 0, id, 0);
    if (id && w == W_FUNCTION) function_forget(o);
    if (id && w == W_TUPLE && PyTuple_GET_SIZE(o) == 0) {
        /* It was made from a tuple of one (see tuple_new). */
        ((PyVarObject *)o)->ob_size = 1;
    }
    dying_begins(&mine, id);
    wrapped[w].dealloc(o);
    dying_ends(&mine);
    report_freed(&mine);
    if (in_trashcan) trashcan_leave(o);
}

static int wrapped_clear(PyObject *o, int w) {
    uint32_t id = id_of(o);
    if (id && entry_of(id)->role == ROLE_CONTAINER_DATA) library_data_gone(id);
    if (id) emit(EV_CLEAR, 0, id, 0);
    return wrapped[w].clear(o);
}

#define WRAPPERS(name, w)                                                   \
    static void name##_dealloc(PyObject *o) { wrapped_dealloc(o, w); }      \
    static int name##_clear(PyObject *o) { return wrapped_clear(o, w); }
WRAPPERS(list, W_LIST)
WRAPPERS(tuple, W_TUPLE)
WRAPPERS(dict, W_DICT)
WRAPPERS(set, W_SET)
WRAPPERS(cell, W_CELL)
WRAPPERS(function, W_FUNCTION)
WRAPPERS(method, W_METHOD)

static void wrap(int w, PyTypeObject *type, destructor dealloc, inquiry clear) {
    wrapped[w].type = type;
    wrapped[w].dealloc = type->tp_dealloc;
    wrapped[w].clear = type->tp_clear;
    type->tp_dealloc = dealloc;
    if (type->tp_clear) type->tp_clear = clear;
}

int builtin_setup(void) {
    long i;
    for (i = 0; i < DICT_KEYS; i++)
#if PY_MAJOR_VERSION >= 3
        if (!(small_ints[i] = PyLong_FromLong(i))) return -1;
#else
        if (!(small_ints[i] = PyInt_FromLong(i))) return -1;
#endif
    wrap(W_LIST, &PyList_Type, list_dealloc, list_clear);
    wrap(W_TUPLE, &PyTuple_Type, tuple_dealloc, tuple_clear);
    wrap(W_DICT, &PyDict_Type, dict_dealloc, dict_clear);
    wrap(W_SET, &PySet_Type, set_dealloc, set_clear);
    wrap(W_CELL, &PyCell_Type, cell_dealloc, cell_clear);
    wrap(W_FUNCTION, &PyFunction_Type, function_dealloc, function_clear);
    wrap(W_METHOD, &PyMethod_Type, method_dealloc, method_clear);
    keys_by_identity(&PyMethod_Type);
    return 0;
}

/* ---- birth ---- */

/* An empty tuple of its own: the interpreter shares one, which could not have an identity. */
PyObject *tuple_new(PyObject *a, PyObject *b) {
    PyObject *t;
    if (!a) {
        t = PyTuple_New(1);
        if (!t) return NULL;
        if (gc_tracked(t)) PyObject_GC_UnTrack(t);
        ((PyVarObject *)t)->ob_size = 0;
        return t;
    }
    return b ? PyTuple_Pack(2, a, b) : PyTuple_Pack(1, a);
}

/* ---- dicts ----
 *
 * Where they do not keep the order of insertion (before 3.6) the order of a dict is that of its hash table. There a slot's key is the number of its insertion, so
 * that the order of the table is the order of insertion, as in later releases. */

typedef struct { uint16_t next, key[MAX_ITEMS]; } Keys; /* key: number of the insertion plus 1, or 0 */

static PyObject *key_of(PyObject *d, uint32_t slot, int create) {
    uint32_t id;
    Keys *keys;
    if (P.ordered) return small_ints[slot];
    id = id_of(d);
    keys = entry_of(id)->keys;
    if (!keys) {
        if (!create) return NULL;
        keys = entry_of(id)->keys = calloc(1, sizeof *keys);
        if (!keys) return NULL;
    }
    if (!keys->key[slot]) {
        if (!create) return NULL;
        if (keys->next >= DICT_KEYS) {
            events_give_up(GAVE_UP_KEYS);
            return NULL;
        }
        keys->key[slot] = ++keys->next;
    }
    return small_ints[keys->key[slot] - 1];
}

static void key_gone(PyObject *d, uint32_t slot) {
    if (!P.ordered) ((Keys *)entry_of(id_of(d))->keys)->key[slot] = 0;
}

PyObject *dict_get(PyObject *d, uint32_t slot) {
    PyObject *key = slot < MAX_ITEMS ? key_of(d, slot, 0) : NULL;
    return key ? PyDict_GetItem(d, key) : NULL;
}

int dict_put(PyObject *d, uint32_t slot, PyObject *value) {
    PyObject *key = key_of(d, slot, value != NULL);
    int r;
    if (!key) return -1;
    if (value) return PyDict_SetItem(d, key, value);
    r = PyDict_DelItem(d, key);
    key_gone(d, slot);
    return r;
}
