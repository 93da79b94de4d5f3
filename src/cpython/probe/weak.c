/* Weak references: real ones of the interpreter, with their death and tp_clear made visible.
 *
 * Of the three built-in types the slots are replaced by wrappers that report and go on to the original. KeyedRef is
 * a Python class made at start-up; subtype_dealloc and subtype_clear look for the first base whose slot is not
 * themselves, so a wrapped class would find its own wrapper. Therefore each has a twin whose slots are untouched:
 * for the time of the original call the object is an instance of the twin. */
#include "probe.h"
#include <structmember.h>

static PyTypeObject *keyed, *keyed_twin, *library_keyed, *library_twin;
static Py_ssize_t keyed_offset;
static destructor keyed_original_dealloc;
static inquiry keyed_original_clear;
static PyObject *keyed_args;

static struct { PyTypeObject *type; destructor dealloc; inquiry clear; } wrapped[3];

static int which(PyObject *o) {
    int i;
    for (i = 0; i < 2; i++)
        if (Py_TYPE(o) == wrapped[i].type) return i;
    return Py_TYPE(o) == wrapped[2].type ? 2 : 0; /* subclasses derive from ref */
}

static uint32_t exact_id(PyObject *o) {
    PyTypeObject *t = Py_TYPE(o);
    return t == keyed || t == keyed_twin || t == library_keyed || t == library_twin ? 0 : id_of(o);
}

static void ref_dealloc(PyObject *o) {
    destructor original = wrapped[which(o)].dealloc;
    uint32_t id = exact_id(o);
    if (id) library_tell_deleted(0);
    if (id) emit(EV_DEALLOC, 0, id, 0);
    original(o);
    if (!id) return;
    emit(EV_FREE, 0, id, 0);
    table_remove(id);
}

static int ref_clear(PyObject *o) {
    uint32_t id = exact_id(o);
    if (id) emit(EV_CLEAR, 0, id, 0);
    return wrapped[which(o)].clear(o);
}

static void become(PyObject *o, PyTypeObject *type) {
    PyTypeObject *old = Py_TYPE(o);
    Py_INCREF(type);
    Py_SET_TYPE(o, type);
    Py_DECREF(old);
}

static PyTypeObject *twin_of(PyObject *o) { return Py_TYPE(o) == keyed ? keyed_twin : library_twin; }

static void keyed_dealloc(PyObject *o) {
    Dying mine;
    uint32_t id = id_of(o);
    if (id) dealloc_put_off(id);
    if (trashcan_put_off(o, 1)) {
        if (id) entry_of(id)->put_off = 1;
        return;
    }
    if (id) library_tell_deleted(0);
    if (id) emit(EV_DEALLOC, 0, id, 0);
    become(o, twin_of(o));
    if (!TRASHCAN_COUNTS) dying_begins(&mine, 0);
    keyed_original_dealloc(o);
    if (!TRASHCAN_COUNTS) dying_ends(&mine);
    if (!id) return;
    emit(EV_FREE, 0, id, 0);
    table_remove(id);
}

static int keyed_clear(PyObject *o) {
    PyTypeObject *type = Py_TYPE(o);
    uint32_t id = id_of(o);
    int r;
    if (id) emit(EV_CLEAR, 0, id, 0);
    become(o, twin_of(o));
    r = keyed_original_clear(o);
    become(o, type);
    return r;
}

/* As keys of a weak container objects are told apart by identity. Weak references and methods, which are equal if what
 * they refer to is equal, and have no hash if that has none, must not be an exception. */
void keys_by_identity(PyTypeObject *type) {
    if (!P.ordered) return;
    type->tp_hash = PyBaseObject_Type.tp_hash;
    type->tp_richcompare = PyBaseObject_Type.tp_richcompare;
}

#if PY_MAJOR_VERSION < 3
typedef long Py_hash_t;
#endif
static hashfunc ref_original_hash;

/* The hash of a plain weak reference is the number of its object, so that the order of a set of them is known. */
static Py_hash_t ref_hash(PyObject *o) {
    PyWeakReference *w = (PyWeakReference *)o;
    if (Py_TYPE(o) == &_PyWeakref_RefType && w->hash == -1 && id_of(w->wr_object)) w->hash = id_of(w->wr_object);
    return ref_original_hash(o);
}

static PyTypeObject *make_keyed(void) {
    return (PyTypeObject *)PyObject_CallFunction((PyObject *)&PyType_Type, (char *)"s(O){s(ss)}", "KeyedRef",
                                                 (PyObject *)&_PyWeakref_RefType, "__slots__", "s0", "__weakref__");
}

/* It has a slot and no list of weak references. */
int weak_adopt_keyed(PyTypeObject *type) {
    library_twin = (PyTypeObject *)PyObject_CallFunction((PyObject *)&PyType_Type, (char *)"s(O){s(s)}", "KeyedRef",
                                                         (PyObject *)&_PyWeakref_RefType, "__slots__", "key");
    if (!library_twin) return -1;
    library_keyed = type;
    type->tp_dealloc = keyed_dealloc;
    type->tp_clear = keyed_clear;
    return 0;
}

int weak_setup(void) {
    PyTypeObject *types[3] = {&_PyWeakref_RefType, &_PyWeakref_ProxyType, &_PyWeakref_CallableProxyType};
    PyObject *member;
    int i;
    for (i = 0; i < 3; i++) {
        wrapped[i].type = types[i];
        wrapped[i].dealloc = types[i]->tp_dealloc;
        wrapped[i].clear = types[i]->tp_clear;
        types[i]->tp_dealloc = ref_dealloc;
        if (types[i]->tp_clear) types[i]->tp_clear = ref_clear;
    }
    ref_original_hash = _PyWeakref_RefType.tp_hash;
    if (P.ordered) _PyWeakref_RefType.tp_hash = (hashfunc)ref_hash;
    keyed = make_keyed();
    keyed_twin = make_keyed();
    if (!keyed || !keyed_twin) return -1;
    member = PyObject_GetAttrString((PyObject *)keyed, "s0");
    if (!member) return -1;
    keyed_offset = ((PyMemberDescrObject *)member)->d_member->offset;
    Py_DECREF(member);
    keyed_original_dealloc = keyed->tp_dealloc;
    keyed_original_clear = keyed->tp_clear;
    keyed->tp_dealloc = keyed_dealloc;
    keyed->tp_clear = keyed_clear;
    keys_by_identity(keyed);
    keyed_args = PyTuple_New(2);
    if (!keyed_args) return -1;
    return 0;
}

/* The argument tuple of KeyedRef is made once and only borrows: a fresh one would be an object of generation 0. */
static PyObject *keyed_new(PyObject *referent, PyObject *callback) {
    PyObject *w;
    PyTuple_SET_ITEM(keyed_args, 0, referent);
    PyTuple_SET_ITEM(keyed_args, 1, callback ? callback : Py_None);
    w = keyed->tp_new(keyed, keyed_args, NULL);
    PyTuple_SET_ITEM(keyed_args, 0, NULL);
    PyTuple_SET_ITEM(keyed_args, 1, NULL);
    return w;
}

PyObject *weak_new(int shape, PyObject *referent, PyObject *callback) {
    if (shape == SHAPE_KEYED_REF) return keyed_new(referent, callback);
    return shape == SHAPE_REF ? PyWeakref_NewRef(referent, callback) : PyWeakref_NewProxy(referent, callback);
}

/* The shared weak reference that the interpreter answers with instead of making one. */
int weak_is_shared(int shape, PyObject *referent) {
    PyTypeObject *type = shape == SHAPE_REF ? &_PyWeakref_RefType : NULL;
    PyWeakReference *w = weak_list(referent);
    int i;
    if (shape != SHAPE_REF && shape != SHAPE_PROXY) return 0;
    for (i = 0; i < 2 && w && !w->wr_callback; i++, w = w->wr_next)
        if (type ? Py_TYPE(w) == type
                 : Py_TYPE(w) == &_PyWeakref_ProxyType || Py_TYPE(w) == &_PyWeakref_CallableProxyType)
            return 1;
    return 0;
}

PyObject *weak_answer(PyObject *weak) {
    PyObject *o;
#if HAS_PyWeakref_GetRef
    if (PyWeakref_GetRef(weak, &o) < 0) PyErr_Clear();
    return o;
#else
    o = PyWeakref_GetObject(weak);
    if (!o || o == Py_None) return NULL;
    Py_INCREF(o);
    return o;
#endif
}

PyObject **keyed_slot(PyObject *o) { return (PyObject **)((char *)o + keyed_offset); }

/* The offset is negative where the interpreter manages the list in front of the object (3.12 and later). */
PyWeakReference *weak_list(PyObject *o) {
    Py_ssize_t offset = Py_TYPE(o)->tp_weaklistoffset;
    return offset == 0 ? NULL : *(PyWeakReference **)((char *)o + offset);
}
