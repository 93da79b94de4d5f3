/* Instances of Python classes: made by type(), as a class statement does, and their death made visible.
 *
 * subtype_dealloc and subtype_clear look for the first base whose slot is not themselves, so a wrapped class would
 * find its own wrapper. Therefore each class has a twin whose slots are untouched: for the time of the original call
 * the object is an instance of the twin. The twin's tp_free reports the release of the memory. */
#include "probe.h"
#include <structmember.h>

typedef struct {
    PyTypeObject *type, *twin;
    destructor dealloc;
    inquiry clear;
    freefunc free;
} Class;

/* [instance, slotted, bare, composed finalize, the library's finalize, its containers][has a finalizer] */
static Class classes[7][2];
enum { BARE = 2, FINALIZE, LIBRARY_FINALIZE, LIBRARY_VALUE_DICT, LIBRARY_SET };
static Py_ssize_t slotted_offset;
static PyObject *names[NODE_SLOTS];

static Class *class_of(PyObject *o) {
    PyTypeObject *t = Py_TYPE(o);
    int i;
    for (i = 0; i < 2 * (LIBRARY_SET + 1); i++)
        if (classes[i / 2][i % 2].type == t || classes[i / 2][i % 2].twin == t) return &classes[i / 2][i % 2];
    return NULL;
}

static void become(PyObject *o, PyTypeObject *type) {
    PyTypeObject *old = Py_TYPE(o);
    Py_INCREF(type);
    Py_SET_TYPE(o, type);
    Py_DECREF(old);
}

/* ---- death and clear ---- */

/* Called by the collector (the object is of its class) or by its deallocator (of the twin). In the latter case death
 * is final once it has returned and nobody has kept the object. */
static void class_finalize(PyObject *self) {
    uint32_t id = id_of(self);
    if (!id) return;
    run_script_unraisable(CODE_FINALIZER, entry_of(id)->kind->finalizer_script, self);
    if (Py_TYPE(self) == class_of(self)->twin && Py_REFCNT(self) == 1) emit(EV_DEALLOC, 0, id, 0);
}

#if !HAS_FINALIZE
/* As slot_tp_del. */
static void class_del(PyObject *self) {
    Py_SET_REFCNT(self, 1);
    class_finalize(self);
    Py_SET_REFCNT(self, Py_REFCNT(self) - 1);
}
#endif

static void class_dealloc(PyObject *o) {
    Class *c = class_of(o);
    uint32_t id = id_of(o);
    Dying mine;
    int finalizes = c == &classes[0][1] || c == &classes[1][1] || c == &classes[2][1];
    if (id) dealloc_put_off(id);
    if (trashcan_put_off(o, 1)) {
        if (id) entry_of(id)->put_off = 1;
        return;
    }
    if (id && (!finalizes || gc_finalized(o))) emit(EV_DEALLOC, 0, id, 0);
    become(o, c->twin);
    if (!TRASHCAN_COUNTS) dying_begins(&mine, 0);
    c->dealloc(o);
    if (!TRASHCAN_COUNTS) dying_ends(&mine);
    if (id && entry_of(id)->object) become(o, c->type); /* resurrected */
}

static int class_clear(PyObject *o) {
    Class *c = class_of(o);
    uint32_t id = id_of(o);
    int r;
    if (id) emit(EV_CLEAR, 0, id, 0);
#ifdef Py_TPFLAGS_INLINE_VALUES
    /* 3.13: they are out of use before the first of them is dropped. */
    if (id) entry_of(id)->lost_values = 1;
#endif
    become(o, c->twin);
    r = c->clear(o);
    become(o, c->type);
    if (id) entry_of(id)->lost_values = 1;
    return r;
}

static void class_free(void *memory) {
    PyObject *o = memory;
    Class *c = class_of(o);
    uint32_t id = id_of(o);
    if (id) {
        emit(EV_FREE, 0, id, 0);
        table_remove(id);
    }
    c->free(o);
}

/* ---- the classes ---- */

static PyTypeObject *make(int which) {
    PyObject *type = (PyObject *)&PyType_Type, *object = (PyObject *)&PyBaseObject_Type;
    switch (which) {
    case 0: return (PyTypeObject *)PyObject_CallFunction(type, (char *)"s(O){}", "Instance", object);
    case 1:
        return (PyTypeObject *)PyObject_CallFunction(type, (char *)"s(O){s(sssss)}", "Slotted", object, "__slots__",
                                                     "s0", "s1", "s2", "s3", "__weakref__");
    case 2: return (PyTypeObject *)PyObject_CallFunction(type, (char *)"s(O){s()}", "Bare", object, "__slots__");
    default:
        return (PyTypeObject *)PyObject_CallFunction(type, (char *)"s(O){s(ss)}", "finalize", object, "__slots__", "s0", "s1");
    }
}

static PyObject *instance(PyTypeObject *t) { return t->tp_new(t, P.no_args, NULL); }

/* From 3.11 on the first instance decides the order of the attributes for its class. */
static int fix_order(PyTypeObject *t) {
    PyObject *o = instance(t);
    int i;
    if (!o) return -1;
    for (i = 0; i < NODE_SLOTS; i++)
        if (PyObject_SetAttr(o, names[i], Py_None) < 0) return -1;
    Py_DECREF(o);
    return 0;
}

/* Makes the death of a class's instances visible; `type` and `twin` are set. */
static void watch_class(Class *c) {
    c->dealloc = c->type->tp_dealloc;
    c->clear = c->type->tp_clear;
    c->free = c->twin->tp_free;
    c->type->tp_dealloc = class_dealloc;
    if (c->clear) c->type->tp_clear = class_clear;
    c->twin->tp_free = class_free;
}

/* Its class has no storage: a class without any is its twin. */
int pyclass_adopt_finalize(PyTypeObject *type) {
    Class *c = &classes[LIBRARY_FINALIZE][0];
    c->type = type;
    c->twin = make(BARE);
    if (!c->twin) return -1;
    watch_class(c);
    return 0;
}

int pyclass_adopt_container(PyTypeObject *type, PyTypeObject *twin, int shape) {
    Class *c = &classes[shape == SHAPE_LIBRARY_SET ? LIBRARY_SET : LIBRARY_VALUE_DICT][0];
    c->type = type;
    c->twin = twin;
    watch_class(c);
    return 0;
}

static int setup_class(Class *c, int which, int finalizes) {
    PyTypeObject *both[2];
    int i;
    both[0] = c->type = make(which);
    both[1] = c->twin = make(which);
    for (i = 0; i < 2; i++) {
        if (!both[i] || (which == 0 && fix_order(both[i]) < 0)) return -1;
#if HAS_FINALIZE
        if (finalizes) both[i]->tp_finalize = class_finalize;
#else
        if (finalizes) both[i]->tp_del = class_del;
#endif
    }
    if (which == FINALIZE) c->type->tp_call = c->twin->tp_call = finalize_call;
    watch_class(c);
    return 0;
}

int pyclass_setup(void) {
    PyObject *member;
    int which, finalizes, i;
    char name[3] = "s0";
    for (i = 0; i < NODE_SLOTS; i++) {
        name[1] = (char)('0' + i);
#if PY_MAJOR_VERSION >= 3
        names[i] = PyUnicode_InternFromString(name);
#else
        names[i] = PyString_InternFromString(name);
#endif
        if (!names[i]) return -1;
    }
    for (which = 0; which < 4; which++)
        for (finalizes = 0; finalizes < 2; finalizes++)
            if (setup_class(&classes[which][finalizes], which, finalizes) < 0) return -1;
    member = PyObject_GetAttrString((PyObject *)classes[1][0].type, "s0");
    if (!member) return -1;
    slotted_offset = ((PyMemberDescrObject *)member)->d_member->offset;
    Py_DECREF(member);
    return 0;
}

PyTypeObject *pyclass_type(const Kind *kind) {
    if (kind->shape == SHAPE_FINALIZE) return classes[LIBRARY_FINALIZE][0].type;
    if (kind->shape == SHAPE_COMPOSED_FINALIZE) return classes[FINALIZE][0].type;
    if (kind->shape == SHAPE_LIBRARY_VALUE_DICT) return classes[LIBRARY_VALUE_DICT][0].type;
    if (kind->shape == SHAPE_LIBRARY_SET) return classes[LIBRARY_SET][0].type;
    if (is_container_shape(kind->shape)) return classes[SHAPE_SLOTTED - SHAPE_INSTANCE][0].type;
    return classes[kind->shape - SHAPE_INSTANCE][kind->finalizer != FINALIZER_NONE].type;
}

PyObject *pyclass_new(const Kind *kind) { return instance(pyclass_type(kind)); }

/* ---- slots ---- */

PyObject **slotted_slot(PyObject *o, int slot) { return (PyObject **)((char *)o + slotted_offset) + slot; }

#ifndef Py_TPFLAGS_MANAGED_DICT
PyObject **instance_dict(PyObject *o) { return _PyObject_GetDictPtr(o); }
#elif defined(Py_TPFLAGS_MANAGED_WEAKREF)
/* 3.12: the managed dict, three words in front of the object, counts once the inline values are gone. */
PyObject **instance_dict(PyObject *o) { return entry_of(id_of(o))->lost_values ? (PyObject **)o - 3 : NULL; }
#else
PyObject **instance_dict(PyObject *o) { return NULL; }
#endif

PyObject *instance_get(PyObject *o, int slot) {
#ifndef Py_TPFLAGS_MANAGED_DICT
    PyObject *d = *instance_dict(o);
    if (!d) return NULL;
    return P.ordered ? PyDict_GetItem(d, names[slot]) : dict_get(d, (uint32_t)slot);
#else
    PyObject *value = NULL, **dict = instance_dict(o);
    /* 3.13 would make the dict to find that it is not there. */
    if (dict) return *dict ? PyDict_GetItem(*dict, names[slot]) : NULL;
#if HAS_PyObject_GetOptionalAttr
    if (PyObject_GetOptionalAttr(o, names[slot], &value) < 0) PyErr_Clear();
#else
    if (_PyObject_LookupAttr(o, names[slot], &value) < 0) PyErr_Clear();
#endif
    Py_XDECREF(value); /* the object holds it */
    return value;
#endif
}

/* Where dicts have no order attributes are stored under numbers (see builtin.c). */
int instance_put(PyObject *o, int slot, PyObject *value) {
    if (!P.ordered) return dict_put(*instance_dict(o), (uint32_t)slot, value);
    return PyObject_GenericSetAttr(o, names[slot], value);
}
