/* Types that Python cannot make. Build:
 *     cc -shared -fPIC $(python3-config --includes) MODULE.c -o MODULE.so */
#include <Python.h>
#include <structmember.h>

#define SLOTS 4

typedef struct {
    PyObject_HEAD
    PyObject *slot[SLOTS];
    PyObject *weakrefs;
    unsigned visits;
} Object;

/* What each type does. Sets of slots are bits; code is the name of a function of __main__. */
static const struct kind {
    const char *name;
    int no_header, untracked;
    int hidden, doubled, fickle; /* what traverse leaves out, reports twice, reports at every other call only */
    int no_clear, kept;          /* no tp_clear; what tp_clear leaves */
    int stays_tracked, keeps_weakrefs, is_heap_type; /* slot 3 stands for the reference to the type, visited since 3.9 */
    const char *finalize, *del, *call, *dealloc;
} kinds[] = {
    KINDS
};
#define KINDS ((int)(sizeof kinds / sizeof kinds[0]))
static PyTypeObject types[sizeof kinds / sizeof kinds[0]];

static const struct kind *kind_of(PyObject *self) { return &kinds[Py_TYPE(self) - types]; }

#if PY_VERSION_HEX < 0x03090000
#define Py_SET_REFCNT(object, count) (Py_REFCNT(object) = (count))
#endif

/* Calls a function of __main__ with the object and what else there is. */
static PyObject *call(const char *name, PyObject *self, PyObject *rest) {
    PyObject *function = PyObject_GetAttrString(PyImport_AddModule("__main__"), name);
    PyObject *first = PyTuple_Pack(1, self);
    PyObject *args = rest && first ? PySequence_Concat(first, rest) : first;
    PyObject *result = function && args ? PyObject_CallObject(function, args) : NULL;
    if (args != first) Py_XDECREF(first);
    Py_XDECREF(args);
    Py_XDECREF(function);
    return result;
}

static void call_unraisable(const char *name, PyObject *self) {
    PyObject *type, *value, *traceback, *result;
    PyErr_Fetch(&type, &value, &traceback);
    result = call(name, self, NULL);
    if (!result) PyErr_WriteUnraisable(self);
    Py_XDECREF(result);
    PyErr_Restore(type, value, traceback);
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    const struct kind *kind = kind_of(self);
    Object *o = (Object *)self;
    int i, even = o->visits++ & 1;
    for (i = 0; i < SLOTS; i++) {
        int bit = 1 << i;
        if (PY_VERSION_HEX < 0x03090000 && kind->is_heap_type && i == 3) continue;
        if (kind->hidden & bit || (kind->fickle & bit && even)) continue;
        Py_VISIT(o->slot[i]);
        if (kind->doubled & bit) Py_VISIT(o->slot[i]);
    }
    return 0;
}

static int clear(PyObject *self) {
    int i;
    for (i = 0; i < SLOTS; i++)
        if (!(kind_of(self)->kept & 1 << i)) Py_CLEAR(((Object *)self)->slot[i]);
    return 0;
}

static void run_with_reference(const char *name, PyObject *self) {
    Py_SET_REFCNT(self, 1);
    call_unraisable(name, self);
    Py_SET_REFCNT(self, Py_REFCNT(self) - 1);
}

static void finalize(PyObject *self) { call_unraisable(kind_of(self)->finalize, self); }
static void del(PyObject *self) {
    run_with_reference(kind_of(self)->del ? kind_of(self)->del : kind_of(self)->finalize, self);
}
static PyObject *call_object(PyObject *self, PyObject *args, PyObject *kw) {
    return call(kind_of(self)->call, self, args);
}

static void dealloc(PyObject *self) {
    const struct kind *kind = kind_of(self);
    Object *o = (Object *)self;
    int i;
#if PY_VERSION_HEX >= 0x03040000
    if (kind->finalize && PyObject_CallFinalizerFromDealloc(self) < 0) return;
#endif
    if (Py_TYPE(self)->tp_del) {
        Py_TYPE(self)->tp_del(self);
        if (Py_REFCNT(self) > 0) return;
    }
    if (!kind->no_header && !kind->stays_tracked) PyObject_GC_UnTrack(self);
    if (o->weakrefs && !kind->keeps_weakrefs) PyObject_ClearWeakRefs(self);
    if (kind->dealloc) run_with_reference(kind->dealloc, self);
    for (i = 0; i < SLOTS; i++) Py_CLEAR(o->slot[i]);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *kw) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self && kinds[type - types].untracked) PyObject_GC_UnTrack(self);
    return self;
}

static PyObject *track(PyObject *self, PyObject *unused) {
    PyObject_GC_UnTrack(self);
    PyObject_GC_Track(self);
    Py_RETURN_NONE;
}

static PyObject *untrack(PyObject *self, PyObject *unused) {
    PyObject_GC_UnTrack(self);
    Py_RETURN_NONE;
}

static PyObject *hold(PyObject *module, PyObject *object) {
    Py_INCREF(object); /* held by C: no collector sees by whom */
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"hold", hold, METH_O, NULL}, {NULL}};
static PyMethodDef methods[] = {{"track", track, METH_NOARGS, NULL}, {"untrack", untrack, METH_NOARGS, NULL}, {NULL}};
#define SLOT(i) {"s" #i, T_OBJECT_EX, offsetof(Object, slot) + (i) * sizeof(PyObject *), 0, NULL}
static PyMemberDef members[] = {SLOT(0), SLOT(1), SLOT(2), SLOT(3), {NULL}};

static PyObject *fill(PyObject *module) {
    int i;
    for (i = 0; module && i < KINDS; i++) {
        static const PyTypeObject blank = {PyVarObject_HEAD_INIT(NULL, 0)};
        const struct kind *kind = &kinds[i];
        PyTypeObject *type = &types[i];
        *type = blank;
        type->tp_name = kind->name;
        type->tp_basicsize = sizeof(Object);
        type->tp_weaklistoffset = offsetof(Object, weakrefs);
        type->tp_flags = Py_TPFLAGS_DEFAULT | (kind->no_header ? 0 : Py_TPFLAGS_HAVE_GC);
        type->tp_new = make;
        type->tp_dealloc = dealloc;
        type->tp_free = kind->no_header ? PyObject_Del : PyObject_GC_Del;
        type->tp_methods = methods;
        type->tp_members = members;
        if (!kind->no_header) type->tp_traverse = traverse;
        if (!kind->no_header && !kind->no_clear) type->tp_clear = clear;
        if (kind->call) type->tp_call = call_object;
        if (kind->del) type->tp_del = del;
#if PY_VERSION_HEX >= 0x03040000
        if (kind->finalize) type->tp_finalize = finalize;
#if PY_VERSION_HEX < 0x03080000
        type->tp_flags |= Py_TPFLAGS_HAVE_FINALIZE;
#endif
#else
        if (kind->finalize) type->tp_del = del;
#endif
        if (PyType_Ready(type) < 0 || PyModule_AddObject(module, kind->name, (PyObject *)type) < 0) return NULL;
        Py_INCREF(type);
    }
    return module;
}

#if PY_MAJOR_VERSION >= 3
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "MODULE", NULL, -1, functions};
PyMODINIT_FUNC PyInit_MODULE(void) { return fill(PyModule_Create(&definition)); }
#else
PyMODINIT_FUNC initMODULE(void) { fill(Py_InitModule("MODULE", functions)); }
#endif
