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

void library_reset(void) { n_running = 0; }

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
        static const Kind ref_kind = {SHAPE_REF, 0, 0, 0, 0, 0, 0, FINALIZER_NONE, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT};
        PyWeakReference *w = (PyWeakReference *)weak;
        add_weak(weak, &ref_kind, origin, ROLE_FINALIZE_REF, w->wr_object, w->wr_callback);
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
    if (library_containers_setup(module) < 0) return -1;
    return pyclass_adopt_finalize(type) < 0 ? -1 : measure();
#else
    return 0;
#endif
}
