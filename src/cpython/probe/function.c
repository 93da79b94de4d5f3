/* Python functions. Each has a code object of its own from a pool made at start-up, whose body calls the probe:
 *
 *     def f(argument): return HIT(argument)
 *
 * HIT is a constant of the code object, so the probe knows which function runs, and nothing but the interpreter's
 * own call machinery holds anything. What that holds is measured once and taken off the counts in snapshots, as a
 * scenario knows of one reference to the argument only. Up to 3.6, where the collector visits the frame, HIT has no
 * argument and takes the function's from there: the reference of that call would be one from outside. */
#include "probe.h"
#if HAS_f_exc_type
#include "frameobject.h"
#endif

#define POOL 128

/* A frame that keeps an exception of its own (f_exc_type, until bpo-25612) is also tracked while it runs. */
#if HAS_f_exc_type
#define FRAME_IS_VISITED 1
#define CALL_HIT "7654321()"
#else
#define FRAME_IS_VISITED 0
#define CALL_HIT "7654321(a)"
#endif

static const char source[] =
    "def make(template, hits):\n"
    "    import types\n"
    "    made = []\n"
    "    for hit in hits:\n"
    "        consts = tuple([hit if c == 7654321 else c for c in template.co_consts])\n"
    "        if hasattr(template, 'replace'):\n"
    "            made.append(template.replace(co_consts=consts))\n"
    "            continue\n"
    "        c = template\n"
    "        more = tuple([0 for a in ('co_posonlyargcount', 'co_kwonlyargcount') if hasattr(c, a)])\n"
    "        made.append(type(c)(*((c.co_argcount,) + more + (c.co_nlocals, c.co_stacksize, c.co_flags, c.co_code, consts,\n"
    "            c.co_names, c.co_varnames, c.co_filename, c.co_name, c.co_firstlineno, c.co_lnotab, c.co_freevars,\n"
    "            c.co_cellvars))))\n"
    "    return made\n"
    "def templates():\n"
    "    def none(a): return " CALL_HIT "\n"
    "    def one(x):\n"
    "        def f(a):\n"
    "            return " CALL_HIT "\n"
    "            x\n"
    "        return f\n"
    "    def two(x, y):\n"
    "        def f(a):\n"
    "            return " CALL_HIT "\n"
    "            x, y\n"
    "        return f\n"
    "    return [getattr(f, '__code__') for f in (none, one(0), two(0, 0))]\n"
    "def pools(hits):\n"
    "    return [make(t, h) for t, h in zip(templates(), hits)]\n";

/* [free variables][number] */
static PyObject *codes[3][POOL];
static PyObject *function_at[3][POOL]; /* borrowed: the function that has the code */
static int spare[3][POOL], n_spare[3];
static PyObject *globals;

/* What the machinery holds beyond what the model knows while a function runs. */
static int measuring, extra_function, extra_argument, extra_cell;
static Py_ssize_t seen_function, seen_argument, seen_cell;
static struct { PyObject *function, *argument, *closure; int extra; } running[64];
static int n_running;
void (*function_watch)(void);
int function_extra_in_library;

static PyObject *hit(PyObject *self, PyObject *argument) {
    long number = PyLong_AsLong(self);
    PyObject *f = function_at[number / POOL][number % POOL];
    uint32_t id;
    int code = CODE_CALLBACK, raised;
#if FRAME_IS_VISITED
    argument = PyEval_GetFrame()->f_localsplus[0];
#endif
    if (measuring) {
        PyObject *closure = ((PyFunctionObject *)f)->func_closure;
        seen_function = Py_REFCNT(f);
        seen_argument = Py_REFCNT(argument);
        seen_cell = closure ? Py_REFCNT(PyTuple_GET_ITEM(closure, 0)) : 0;
    }
    if (function_watch) function_watch();
    id = f ? id_of(f) : 0;
    if (id && !P.silent) {
        int extra = P.calling == CALLING_LIBRARY ? function_extra_in_library : extra_function;
        PyObject *arg = argument == Py_None ? NULL : argument;
        if (P.calling) code = P.calling == CALLING_GC ? CODE_GC_CALLBACK : CODE_CALL;
        P.calling = 0;
        if (n_running < 64) {
            running[n_running].function = f;
            running[n_running].argument = arg;
            running[n_running].extra = extra;
            running[n_running].closure = ((PyFunctionObject *)f)->func_closure;
        }
        n_running++;
        raised = 0;
        if (is_container_function(id) && arg) run_removal(f, arg);
        else raised = run_script(code, entry_of(id)->kind->on_call, f, arg);
        n_running--;
        /* Reported from here: on its way through the function it would gather a traceback that holds the frame. */
        if (raised < 0) {
            PyErr_WriteUnraisable(f);
#if PY_MAJOR_VERSION >= 3
            PyException_SetTraceback(P.exception, Py_None); /* the report has made one */
#endif
        }
    }
    P.calling = 0;
    Py_INCREF(Py_None);
    return Py_None;
}

static PyMethodDef hit_def = {"hit", hit, FRAME_IS_VISITED ? METH_NOARGS : METH_O, NULL};

uint32_t function_extra(PyObject *o) {
    int i, n = 0;
    Py_ssize_t c;
    for (i = 0; i < n_running && i < 64; i++) {
        if (running[i].function == o) n += running[i].extra;
        if (running[i].argument == o) n += extra_argument;
        if (running[i].closure && extra_cell)
            for (c = 0; c < PyTuple_GET_SIZE(running[i].closure); c++)
                if (PyTuple_GET_ITEM(running[i].closure, c) == o) n += extra_cell;
    }
    return (uint32_t)n;
}

/* closure and defaults may be NULL; the references are the function's own. */
PyObject *function_new(PyObject *closure, PyObject *defaults) {
    Py_ssize_t free = closure ? PyTuple_GET_SIZE(closure) : 0;
    PyObject *f;
    int number;
    if (n_spare[free] == 0) {
        events_give_up(GAVE_UP_FUNCTIONS);
        return NULL;
    }
    number = spare[free][n_spare[free] - 1];
    f = PyFunction_New(codes[free][number], globals);
    if (!f) return NULL;
    n_spare[free]--;
    function_at[free][number] = f;
    Py_XINCREF(closure);
    Py_XINCREF(defaults);
    ((PyFunctionObject *)f)->func_closure = closure;
    ((PyFunctionObject *)f)->func_defaults = defaults;
    return f;
}

void function_forget(PyObject *f) {
    int free, number;
    for (free = 0; free < 3; free++)
        for (number = 0; number < POOL; number++)
            if (function_at[free][number] == f) {
                function_at[free][number] = NULL;
                spare[free][n_spare[free]++] = number;
                return;
            }
}

PyObject **function_slot(PyObject *o, int slot) {
    PyFunctionObject *f = (PyFunctionObject *)o;
    return slot == 0 ? &f->func_closure : slot == 1 ? &f->func_defaults : &f->func_dict;
}

/* Calls a function as weak references call their callbacks. */
static int measure(void) {
    static const Kind node = {SHAPE_NODE, 0, 0, 0, 0, 0, 0, FINALIZER_NONE, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT};
    PyObject *cell = PyCell_New(Py_None), *closure = cell ? PyTuple_Pack(1, cell) : NULL;
    PyObject *f = closure ? function_new(closure, NULL) : NULL, *arg = node_new(&node), *r;
    Py_ssize_t function_before, argument_before, cell_before;
    if (!f || !arg) return -1;
    function_before = Py_REFCNT(f);
    argument_before = Py_REFCNT(arg);
    cell_before = Py_REFCNT(cell);
    measuring = 1;
    r = PyObject_CallFunctionObjArgs(f, arg, NULL);
    measuring = 0;
    if (!r) return -1;
    Py_DECREF(r);
    /* Known are the frame's references to the argument, the cells and (3.11) the function, and that of 2.7's argument
     * tuple. */
    extra_function = (int)(seen_function - function_before) - HAS__PyInterpreterFrame;
    extra_argument = (int)(seen_argument - argument_before) - (PY_MAJOR_VERSION >= 3 ? 1 : 2);
    extra_cell = (int)(seen_cell - cell_before) - 1;
    function_forget(f);
    Py_DECREF(f);
    Py_DECREF(arg);
    Py_DECREF(closure);
    Py_DECREF(cell);
    return 0;
}

int function_setup(void) {
    PyObject *hits, *module, *pools = NULL, *r;
    int free, number;
    globals = PyDict_New();
    hits = PyList_New(3);
    if (!globals || !hits) return -1;
    if (PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins()) < 0) return -1;
    module = PyDict_New();
    if (!module || PyDict_SetItemString(module, "__builtins__", PyEval_GetBuiltins()) < 0) return -1;
    for (free = 0; free < 3; free++) {
        PyObject *list = PyList_New(POOL);
        if (!list) return -1;
        for (number = 0; number < POOL; number++) {
            PyObject *n = PyLong_FromLong(free * POOL + number);
            PyObject *f = n ? PyCFunction_New(&hit_def, n) : NULL;
            if (!f) return -1;
            Py_DECREF(n);
            PyList_SET_ITEM(list, number, f);
        }
        PyList_SET_ITEM(hits, free, list);
    }
    r = PyRun_String(source, Py_file_input, module, module);
    if (!r) return -1;
    Py_DECREF(r);
    pools = PyObject_CallFunctionObjArgs(PyDict_GetItemString(module, "pools"), hits, NULL);
    if (!pools) return -1;
    for (free = 0; free < 3; free++)
        for (number = 0; number < POOL; number++) {
            codes[free][number] = PyList_GET_ITEM(PyList_GET_ITEM(pools, free), number);
            Py_INCREF(codes[free][number]);
            spare[free][number] = POOL - 1 - number;
        }
    for (free = 0; free < 3; free++) n_spare[free] = POOL;
    Py_DECREF(pools);
    Py_DECREF(hits);
    Py_DECREF(module);
    return measure();
}

void function_reset(void) { n_running = 0; }

/* ---- entries of gc.callbacks ----
 *
 * The body takes one argument, gc.callbacks passes two: a function is in the list behind an adapter, which the
 * collector does not see and which owns it until the list is emptied, even if it is being called then. */

typedef struct { PyObject_HEAD PyObject *function; int calls, owns; } Adapter;

static void adapter_dealloc(PyObject *o) {
    PyObject *f = ((Adapter *)o)->owns ? ((Adapter *)o)->function : NULL;
    PyObject_Del(o);
    Py_XDECREF(f);
}

static PyObject *adapter_call(PyObject *o, PyObject *args, PyObject *kw) {
    Adapter *a = (Adapter *)o;
    PyObject *f = a->function, *r;
    Py_INCREF(f);
    a->calls++;
    r = call_function(f, CALLING_GC);
    a->calls--;
    Py_DECREF(f);
    return r;
}

static PyTypeObject adapter_type = {PyVarObject_HEAD_INIT(NULL, 0)};

PyObject *gc_callback_of(PyObject *callable) {
    Adapter *a;
    if (!PyFunction_Check(callable)) {
        Py_INCREF(callable);
        return callable;
    }
    if (!adapter_type.tp_name) {
        adapter_type.tp_name = "coroner.Adapter";
        adapter_type.tp_basicsize = sizeof(Adapter);
        adapter_type.tp_flags = Py_TPFLAGS_DEFAULT;
        adapter_type.tp_dealloc = adapter_dealloc;
        adapter_type.tp_call = adapter_call;
        if (PyType_Ready(&adapter_type) < 0) return NULL;
    }
    a = PyObject_New(Adapter, &adapter_type);
    if (!a) return NULL;
    Py_INCREF(callable);
    a->function = callable;
    a->calls = 0;
    a->owns = 1;
    return (PyObject *)a;
}

/* gc.callbacks is about to be emptied. */
void gc_callbacks_release(void) {
    Py_ssize_t i;
    for (i = 0; P.callbacks && i < PyList_GET_SIZE(P.callbacks); i++) {
        Adapter *a = (Adapter *)PyList_GET_ITEM(P.callbacks, i);
        if (Py_TYPE(a) != &adapter_type || !a->calls || !a->owns) continue;
        a->owns = 0;
        Py_DECREF(a->function); /* not the last: its call holds another */
    }
}

PyObject *call_function(PyObject *f, int how) {
    PyObject *r;
    P.calling = how;
    r = PyFunction_Check(f) ? PyObject_CallFunctionObjArgs(f, Py_None, NULL) : PyObject_Call(f, P.no_args, NULL);
    P.calling = 0;
    return r;
}
