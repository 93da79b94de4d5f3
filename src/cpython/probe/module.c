/* The module: reads batches of scenarios from a pipe, runs them, answers.
 *
 * Everything happens in a thread without Python frames, with a stack of its own: an error that is reported as
 * unraisable finds no frame to make a traceback of, and a long chain of deallocations finds room. */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
    int in, out, batch;
    const char *batches, *events;
    unsigned long event_bytes, memory_bytes, stack_bytes;
} config;

/* ---- unraisable errors ---- */

static void unraisable(void) {
    if (P.n_raised > 0) emit(EV_UNRAISABLE, 0, P.raised[--P.n_raised], 0);
}

static int has_hook; /* sys.unraisablehook (3.8, bpo-36829) is called with the error, and nothing is written */

static PyObject *hook(PyObject *self, PyObject *args) {
    /* The traceback was made for the report. On the one exception there is it would outlive that, and its frames. */
#if PY_MAJOR_VERSION >= 3
    if (PyException_SetTraceback(P.exception, Py_None) < 0) PyErr_Clear();
#endif
    unraisable();
    Py_INCREF(Py_None);
    return Py_None;
}
static PyMethodDef hook_def = {"unraisablehook", hook, METH_O, NULL};

/* Stands for sys.stderr. Without a hook the report of an error is several writes, the first of which begins with
 * "Exception". With DEBUG_UNCOLLECTABLE the collector writes a line for each uncollectable object. */
static PyObject *stderr_write(PyObject *self, PyObject *args) {
    PyObject *text = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : Py_None;
    const char *s = NULL;
#if PY_MAJOR_VERSION >= 3
    if (PyUnicode_Check(text)) s = PyUnicode_AsUTF8(text);
#else
    if (PyString_Check(text)) s = PyString_AS_STRING(text);
#endif
    if (!has_hook && s && strncmp(s, "Exception ", 10) == 0) unraisable();
    if (s && strncmp(s, "gc: uncollectable", 17) == 0) {
        gc_said_uncollectable();
        trashcan_set_aside();
    }
    if (s) collect_said(s, args);
    Py_INCREF(Py_None);
    return Py_None;
}
static PyObject *stderr_flush(PyObject *self, PyObject *none) {
    Py_INCREF(Py_None);
    return Py_None;
}
static PyMethodDef stderr_methods[] = {{"write", stderr_write, METH_VARARGS, NULL}, {"flush", stderr_flush, METH_NOARGS, NULL}, {0}};
static PyTypeObject stderr_type = {PyVarObject_HEAD_INIT(NULL, 0)};

static int watch_output(void) {
    PyObject *f;
    stderr_type.tp_name = "coroner.stderr";
    stderr_type.tp_basicsize = sizeof(PyObject);
    stderr_type.tp_flags = Py_TPFLAGS_DEFAULT;
    stderr_type.tp_methods = stderr_methods;
    if (PyType_Ready(&stderr_type) < 0) return -1;
    f = PyObject_New(PyObject, &stderr_type);
    if (!f || PySys_SetObject((char *)"stderr", f) < 0) return -1;
    has_hook = PySys_GetObject((char *)"unraisablehook") != NULL;
    if (!has_hook) return 0;
    f = PyCFunction_New(&hook_def, NULL);
    return f ? PySys_SetObject((char *)"unraisablehook", f) : -1;
}

/* ---- start ---- */

static PyObject *optional(PyObject *module, const char *name) {
    PyObject *o = PyObject_GetAttrString(module, name);
    if (!o) PyErr_Clear();
    return o;
}

/* True if a dict keeps the order in which its keys came: then keys that are objects have one that does not depend on
 * their addresses. */
static int dicts_are_ordered(void) {
    static const long keys[] = {7, 3, 12, 0, 5, 1};
    PyObject *d = PyDict_New(), *key, *value;
    Py_ssize_t at = 0;
    int i, same = d != NULL;
    for (i = 0; d && i < 6; i++) {
        key = PyLong_FromLong(keys[i]);
        if (key) PyDict_SetItem(d, key, Py_None);
        Py_XDECREF(key);
    }
    for (i = 0; d && PyDict_Next(d, &at, &key, &value); i++) same &= i < 6 && PyLong_AsLong(key) == keys[i];
    Py_XDECREF(d);
    return same && i == 6;
}

static int setup(void) {
    PyObject *gc = PyImport_ImportModule("gc");
    int g;
    if (!gc) return -1;
    P.gc_collect = optional(gc, "collect");
    P.gc_enable = optional(gc, "enable");
    P.gc_get_stats = optional(gc, "get_stats");
    P.gc_disable = optional(gc, "disable");
    P.gc_freeze = optional(gc, "freeze");
    P.gc_unfreeze = optional(gc, "unfreeze");
    P.gc_set_debug = optional(gc, "set_debug");
    P.gc_get_debug = optional(gc, "get_debug");
    P.gc_set_threshold = optional(gc, "set_threshold");
    P.gc_get_objects = optional(gc, "get_objects");
    P.gc_get_count = optional(gc, "get_count");
    P.gc_get_threshold = optional(gc, "get_threshold");
    P.garbage = optional(gc, "garbage");
    P.callbacks = optional(gc, "callbacks");
    P.no_args = PyTuple_New(0);
    for (g = 0; g < 3; g++) P.gen_args[g] = Py_BuildValue("(i)", g);
    P.exception = PyObject_CallFunction(PyExc_RuntimeError, (char *)"s", "raise");
    if (!P.gc_collect || !P.garbage || !P.exception) {
        PyErr_SetString(PyExc_RuntimeError, "the gc module is not complete");
        return -1;
    }
    Py_XDECREF(PyObject_Call(P.gc_disable, P.no_args, NULL));
    P.ordered = dicts_are_ordered();
    if (watch_output() < 0 || node_setup() < 0 || weak_setup() < 0) return -1;
    P.silent = 1;
    if (pyclass_setup() < 0 || function_setup() < 0 || builtin_setup() < 0) return -1;
    if (library_setup() < 0) return -1;
    if (gc_setup() < 0 || collect_setup() < 0) return -1;
    memory_setup();
    trashcan_setup();
    P.debug_on = Py_BuildValue("(i)", 32 + gc_debug_flags());
    P.debug_off = Py_BuildValue("(i)", gc_debug_flags());
    return P.debug_on && P.debug_off ? 0 : -1;
}

/* ---- batches ---- */

static int read_all(void *to, size_t n) {
    char *at = to;
    while (n > 0) {
        ssize_t got = read(config.in, at, n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return -1;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

static int read_batch(char *to, size_t n) {
    off_t at = 0;
    while ((size_t)at < n) {
        ssize_t got = pread(config.batch, to + at, n - (size_t)at, at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return -1;
        at += got;
    }
    return 0;
}

static int write_all(const void *from, size_t n) {
    const char *at = from;
    while (n > 0) {
        ssize_t put = write(config.out, at, n);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return -1;
        at += put;
        n -= (size_t)put;
    }
    return 0;
}

static uint64_t nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The limit of time for one scenario: a timer runs as long as a batch, TICKS times within the limit, and each scenario
 * starts to count anew. (Two system calls for each scenario would take longer than most scenarios.) */
#define TICKS 10
static volatile sig_atomic_t ticks;

static void tick(int signal_number) {
    if (++ticks <= TICKS) return;
    signal(SIGALRM, SIG_DFL);
    raise(SIGALRM);
}

static void set_timer(uint32_t milliseconds) {
    struct itimerval t;
    memset(&t, 0, sizeof t);
    t.it_interval.tv_sec = milliseconds / TICKS / 1000;
    t.it_interval.tv_usec = (milliseconds / TICKS % 1000) * 1000 + (milliseconds > 0);
    t.it_value = t.it_interval;
    setitimer(ITIMER_REAL, &t, NULL);
}

/* 0, or what cannot be done here: 0x100 + the shape. */
static uint32_t unsupported(void) {
    uint32_t i;
    for (i = 0; !P.ordered && i < P.n_ops; i++)
        /* The order of a dict whose keys are objects is that of their addresses; a set has another table before 3.6. */
        if (P.ops[i].code == OP_NEW &&
            (P.ops[i].kind.shape == SHAPE_WEAK_KEY_DICT || (HAS_FINALIZE && P.ops[i].kind.shape == SHAPE_LIBRARY_SET)))
            return 0x100u + P.ops[i].kind.shape;
    return 0;
}

static uint32_t survivors(void) {
    uint32_t id, n = 0;
    for (id = 1; id <= P.n_entries; id++) n += P.entries[id].object != NULL;
    return n;
}

typedef struct { uint32_t count, max_depth, max_script_steps, milliseconds; } Batch;

/* Runs a batch; stops early, to be asked for the rest again, if the events fill half of the file. `*dirty` is set if
 * a scenario left objects that cannot be freed: this process must not run another one. */
static uint32_t run_batch(const char *at, size_t half, uint32_t *dirty) {
    const Batch *batch = (const Batch *)at;
    uint32_t i;
    P.max_depth = batch->max_depth;
    P.max_script_steps = batch->max_script_steps;
    at += sizeof *batch;
    events_rewind();
    set_timer(batch->milliseconds);
    for (i = 0; i < batch->count && !*dirty; i++) {
        const Header *h = (const Header *)at;
        uint32_t status, what;
        int gave_up;
        uint64_t start = 0, end = 0;
        if (i > 0 && events_used() > half) break;
        P.n_ops = h->n_ops;
        P.n_bodies = h->n_bodies;
        P.ends = (const uint32_t *)(at + sizeof *h);
        P.ops = (const Op *)(at + sizeof *h + ((h->n_bodies + 1u) & ~1u) * 4u);
        emit_mark(EV_BEGIN_SCENARIO, 0, i, 0);
        what = unsupported();
        if (what) {
            emit_mark(EV_END_SCENARIO, STATUS_UNSUPPORTED, what, 0);
        } else {
            ticks = 0;
            start = nanoseconds();
            status = (uint32_t)scenario_run();
            gave_up = events_gave_up();
            end = nanoseconds();
            scenario_cleanup();
            *dirty = survivors() != 0;
            table_reset();
            function_reset();
            if (h->flags & REPORT_MEMORY) memory_report();
            emit_mark(EV_END_SCENARIO, status, (uint32_t)gave_up, end - start);
        }
        at += h->size;
    }
    set_timer(0);
    return i;
}

/* ---- copies ----
 *
 * This process runs no scenario: a copy of it does (fork), until it has died, has been told to end (a batch of size 0),
 * or must not run another one. Then the next batch makes another copy. The thread of the scenarios is the only one that
 * a copy has, and has the GIL, which nobody else asks for. */

#define COPY_DIED 0xffffffffu /* the first word of an answer: the second is the status, 0 if there is no copy */
#define NO_BATCH 3            /* exit code of a copy that cannot read its batch */
#define FORK_ATTEMPTS 50

/* Runs batches, the first of which has this size; does not return. */
static void serve_copy(uint32_t size) {
    uint32_t reply[2] = {0, 0};
    char *batch = NULL;
    do {
        if (size == 0) _exit(0);
        events_set_busy(1);
        free(batch);
        batch = malloc(size);
        if (!batch || read_batch(batch, size) < 0) _exit(NO_BATCH);
        reply[0] = run_batch(batch, config.event_bytes / 2, &reply[1]);
        events_set_busy(0);
        if (write_all(reply, sizeof reply) < 0 || reply[1]) _exit(0);
    } while (read_all(&size, sizeof size) == 0);
    _exit(0);
}

/* Memory may be short for a moment. */
static pid_t make_copy(void) {
    int attempt;
    for (attempt = 0; attempt < FORK_ATTEMPTS; attempt++) {
        pid_t pid = fork();
        if (pid >= 0) return pid;
        usleep(20000);
    }
    return -1;
}

/* Has copies run the batches; does not return. */
static void serve_batches(void) {
    uint32_t size;
    unsigned long copies = 0;
    while (read_all(&size, sizeof size) == 0) {
        uint32_t reply[2] = {COPY_DIED, 0};
        int status = 0;
        pid_t pid;
        if (size == 0) continue; /* the copy had ended by itself */
        pid = make_copy();
        if (pid == 0) serve_copy(size);
        if (pid > 0) {
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
            fprintf(stderr, "coroner probe: end of copy %lu\n", ++copies);
            fflush(stderr);
            /* Somebody may have killed one that was waiting: the next batch does not care. */
            if (status == 0 || !events_busy()) continue;
            events_set_busy(0);
            reply[1] = (uint32_t)status;
        }
        if (write_all(reply, sizeof reply) < 0) break;
    }
    _exit(0);
}

static void *serve_thread(void *unused) {
    PyGILState_STATE gil = PyGILState_Ensure();
    uint32_t reply[2] = {0, 0};
    if (setup() < 0) {
        PyObject *type, *value, *traceback, *text;
        PyErr_Fetch(&type, &value, &traceback);
        text = value ? PyObject_Str(value) : NULL;
        reply[1] = 2;
#if PY_MAJOR_VERSION >= 3
        fprintf(stderr, "%s\n", text ? PyUnicode_AsUTF8(text) : "the probe cannot start");
#else
        fprintf(stderr, "%s\n", text ? PyString_AsString(text) : "the probe cannot start");
#endif
        fflush(stderr);
        write_all(reply, sizeof reply);
        _exit(3);
    }
    scenario_cleanup();
    reply[0] = (uint32_t)P.lists_not_found;
    if (write_all(reply, sizeof reply) < 0) _exit(0);
    serve_batches();
    PyGILState_Release(gil);
    return unused;
}

/* serve(in, out, path of the file of scenarios, path of the event file, its size, limit of memory, size of the stack):
 * does not return. The pipe `in` brings the size of each batch. */
static PyObject *serve(PyObject *self, PyObject *args) {
    pthread_attr_t attributes;
    pthread_t thread;
    struct rlimit none = {0, 0}, memory;
    if (!PyArg_ParseTuple(args, "iisskkk", &config.in, &config.out, &config.batches, &config.events,
                          &config.event_bytes, &config.memory_bytes, &config.stack_bytes))
        return NULL;
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGALRM, tick);
    if (config.memory_bytes) {
        /* No more than somebody else has allowed. */
        if (getrlimit(RLIMIT_AS, &memory) < 0) return PyErr_SetFromErrno(PyExc_OSError);
        if (memory.rlim_max == RLIM_INFINITY || memory.rlim_max > config.memory_bytes)
            memory.rlim_max = config.memory_bytes;
        memory.rlim_cur = memory.rlim_max;
        if (setrlimit(RLIMIT_AS, &memory) < 0) {
            PyErr_SetString(PyExc_OSError, "the limit of memory (RLIMIT_AS) cannot be set");
            return NULL;
        }
    }
    config.batch = open(config.batches, O_RDONLY);
    if (config.batch < 0) return PyErr_SetFromErrno(PyExc_OSError);
    if (events_open(config.events, config.event_bytes) < 0) return PyErr_SetFromErrno(PyExc_OSError);
#if HAS_PyEval_InitThreads
    PyEval_InitThreads(); /* done by the interpreter since 3.7 */
#endif
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, config.stack_bytes);
    if (pthread_create(&thread, &attributes, serve_thread, NULL) != 0) return PyErr_SetFromErrno(PyExc_OSError);
    Py_BEGIN_ALLOW_THREADS
    pthread_join(thread, NULL);
    Py_END_ALLOW_THREADS
    Py_INCREF(Py_None);
    return Py_None;
}

static PyMethodDef methods[] = {{"serve", serve, METH_VARARGS, NULL}, {0}};

#if PY_MAJOR_VERSION >= 3
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "coroner_probe", NULL, -1, methods};
PyMODINIT_FUNC PyInit_coroner_probe(void) { return PyModule_Create(&definition); }
#else
PyMODINIT_FUNC initcoroner_probe(void) { Py_InitModule3("coroner_probe", methods, NULL); }
#endif
