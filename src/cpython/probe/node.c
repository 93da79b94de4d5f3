/* The extension container: everything about how it takes part in cyclic GC is free.
 *
 * What CPython keeps in the type (GC flag, tp_clear, tp_finalize, tp_del, tp_call) needs a type for each combination;
 * the rest is looked up in the object's kind. */
#include "probe.h"

/* [has a GC header][has tp_clear][finalizer][callable] */
static PyTypeObject types[2][2][3][2];
static PyTypeObject *const first_type = &types[0][0][0][0];
static PyTypeObject *const last_type = &types[1][1][2][1];
static int tracking_now; /* debug builds call traverse from PyObject_GC_Track: not a visit of the collector */

int is_node(PyObject *o) { return Py_TYPE(o) >= first_type && Py_TYPE(o) <= last_type; }

/* Slot 3 of a Typed object stands for the reference to its heap type. */
static int slot_is_type(const Node *o, int slot) {
    return !TYPES_ARE_VISITED && o->kind->shape == SHAPE_TYPED && slot == 3;
}

static int node_traverse(PyObject *self, visitproc visit, void *arg) {
    Node *o = (Node *)self;
    int i, odd = (o->visits + 1) & 1;
    if (!tracking_now) o->visits++;
    for (i = 0; i < NODE_SLOTS; i++) {
        int bit = 1 << i;
        if (slot_is_type(o, i)) continue;
        if (o->kind->hidden & bit || (o->kind->fickle & bit && !odd)) continue;
        Py_VISIT(o->slot[i]);
        if (o->kind->doubled & bit) Py_VISIT(o->slot[i]);
    }
    return 0;
}

static int node_clear(PyObject *self) {
    Node *o = (Node *)self;
    int i;
    emit(EV_CLEAR, 0, o->id, 0);
    for (i = 0; i < NODE_SLOTS; i++)
        if (!(o->kind->keeps & (1 << i))) Py_CLEAR(o->slot[i]);
    return 0;
}

#if HAS_FINALIZE
static void node_finalize(PyObject *self) {
    run_script_unraisable(CODE_FINALIZER, ((Node *)self)->kind->finalizer_script, self);
}
#endif

/* As slot_tp_del of Python classes did: an artificial reference for the time of the call. */
static void node_del(PyObject *self) {
    const Kind *kind = ((Node *)self)->kind;
    Py_SET_REFCNT(self, 1);
    run_script_unraisable(kind->finalizer == FINALIZER_LEGACY ? CODE_LEGACY_FINALIZER : CODE_FINALIZER,
                          kind->finalizer_script, self);
    Py_SET_REFCNT(self, Py_REFCNT(self) - 1);
}

static PyObject *node_call(PyObject *self, PyObject *args, PyObject *kw) {
    PyObject *arg = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : NULL;
    int code = P.calling ? CODE_CALL : CODE_CALLBACK, library = P.calling == CALLING_LIBRARY;
    P.calling = 0;
    if (arg == Py_None) arg = NULL; /* what the library is given to pass on */
    if (arg && !id_of(arg)) { /* gc.callbacks: (phase, info) */
        code = CODE_GC_CALLBACK;
        arg = NULL;
    }
    if (run_script(code, ((Node *)self)->kind->on_call, self, arg) < 0) {
        if (!library) return NULL;
        /* Reported from here: on its way through the library it would gather a traceback that holds its frame. */
        PyErr_WriteUnraisable(self);
#if PY_MAJOR_VERSION >= 3
        PyException_SetTraceback(P.exception, Py_None);
#endif
    }
    Py_INCREF(Py_None);
    return Py_None;
}

#if HAS_FINALIZE
static int finalize_dying(PyObject *self) {
#ifdef Py_DEBUG
    /* The function asserts that the object is tracked. */
    if (gc_has_header(self) && !gc_tracked(self)) {
        Py_SET_REFCNT(self, 1);
        PyObject_CallFinalizer(self);
        Py_SET_REFCNT(self, Py_REFCNT(self) - 1);
        return Py_REFCNT(self) > 0 ? -1 : 0;
    }
#endif
    return PyObject_CallFinalizerFromDealloc(self);
}
#endif

static void node_dealloc(PyObject *self) {
    Node *o = (Node *)self;
    PyTypeObject *type = Py_TYPE(self);
    const Kind *kind = o->kind;
    uint32_t id = o->id;
    int i;
#if HAS_FINALIZE
    if (type->tp_finalize && finalize_dying(self) < 0) return;
#endif
    if (type->tp_del) {
        type->tp_del(self);
        if (Py_REFCNT(self) > 0) return;
    }
    emit(EV_DEALLOC, 0, id, 0);
    if (kind->tracking != TRACKING_NO_HEADER && !kind->keeps_tracked) PyObject_GC_UnTrack(self);
    if (o->weakrefs && !kind->keeps_weakrefs) PyObject_ClearWeakRefs(self);
    if (kind->on_dealloc != NO_SCRIPT && !P.silent) {
        Py_SET_REFCNT(self, 1);
        run_script_unraisable(CODE_DEALLOC, kind->on_dealloc, self);
        Py_SET_REFCNT(self, Py_REFCNT(self) - 1);
    }
    for (i = 0; i < NODE_SLOTS; i++) Py_CLEAR(o->slot[i]);
    emit(EV_FREE, 0, id, 0);
    table_remove(id);
    type->tp_free(self);
}

static void discarded_dealloc(PyObject *o) { Py_TYPE(o)->tp_free(o); }
static PyTypeObject discarded = {PyVarObject_HEAD_INIT(NULL, 0)};

int node_setup(void) {
    static PyTypeObject blank = {PyVarObject_HEAD_INIT(NULL, 0)};
    int gc, clear, finalizer, call;
    for (gc = 0; gc < 2; gc++)
        for (clear = 0; clear < 2; clear++)
            for (finalizer = 0; finalizer < 3; finalizer++)
                for (call = 0; call < 2; call++) {
                    PyTypeObject *t = &types[gc][clear][finalizer][call];
                    memcpy(t, &blank, sizeof blank);
                    t->tp_name = "coroner.Node";
                    t->tp_basicsize = sizeof(Node);
                    t->tp_weaklistoffset = offsetof(Node, weakrefs);
                    t->tp_dealloc = node_dealloc;
                    t->tp_flags = Py_TPFLAGS_DEFAULT;
                    t->tp_free = PyObject_Del;
                    if (gc) {
                        t->tp_flags |= Py_TPFLAGS_HAVE_GC;
                        t->tp_traverse = node_traverse;
                        t->tp_free = PyObject_GC_Del;
                        if (clear) t->tp_clear = node_clear;
                    }
                    if (call) t->tp_call = node_call;
#if HAS_FINALIZE
                    if (finalizer == FINALIZER_MODERN) t->tp_finalize = node_finalize;
#ifdef Py_TPFLAGS_HAVE_FINALIZE /* asked for up to 3.7 */
                    t->tp_flags |= Py_TPFLAGS_HAVE_FINALIZE;
#endif
                    if (finalizer == FINALIZER_LEGACY) t->tp_del = node_del;
#else
                    /* No tp_finalize before 3.4. The 2.7 collector ignores tp_del of static types. */
                    if (finalizer != FINALIZER_NONE) t->tp_del = node_del;
#endif
                    if (PyType_Ready(t) < 0) return -1;
                }
    discarded.tp_name = "coroner.Discarded";
    discarded.tp_basicsize = sizeof(Node);
    discarded.tp_dealloc = discarded_dealloc;
    discarded.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
    discarded.tp_traverse = node_traverse;
    discarded.tp_free = PyObject_GC_Del;
    return PyType_Ready(&discarded);
}

PyObject *node_new(const Kind *kind) {
    int gc = kind->tracking != TRACKING_NO_HEADER;
    PyTypeObject *t = &types[gc][gc && !kind->no_clear][kind->finalizer][kind->on_call != NO_SCRIPT];
    Node *o = gc ? PyObject_GC_New(Node, t) : PyObject_New(Node, t);
    if (!o) return NULL;
    memset(o->slot, 0, sizeof o->slot);
    o->weakrefs = NULL;
    o->kind = kind;
    o->visits = 0;
    o->id = table_add((PyObject *)o, kind);
    if (o->id == 0) { /* out of memory: the object must not be seen */
        t->tp_free(o);
        return PyErr_NoMemory();
    }
    if (kind->tracking == TRACKING_TRACKED) node_track((PyObject *)o);
    return (PyObject *)o;
}

/* An allocation and nothing else. */
PyObject *node_for_nothing(void) { return (PyObject *)PyObject_GC_New(Node, &discarded); }

int node_track(PyObject *o) {
    if (!gc_has_header(o) || gc_tracked(o)) return 0;
    tracking_now = 1;
    PyObject_GC_Track(o);
    tracking_now = 0;
    return 1;
}

int node_untrack(PyObject *o) {
    if (!gc_has_header(o) || !gc_tracked(o)) return 0;
    PyObject_GC_UnTrack(o);
    return 1;
}
