/* The module: makes copies of the process, each of which makes or takes one object, lets it die, and tells in shared memory
 * what it saw. */
#include "audit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static Report *report;

static void limit_copy(int milliseconds) {
    struct rlimit no_core = {0, 0};
    struct itimerval timer = {{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000}};
    struct rlimit file = {1 << 20, 1 << 20};
    sigset_t all;
    int null = open("/dev/null", O_RDWR), s;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_FSIZE, &file);
    for (s = 0; s < 3 && null >= 0; s++) dup2(null, s);
    /* What the package does about signals is not for the copy: each ends it. */
    for (s = 1; s < 32; s++) signal(s, SIG_DFL);
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void run_copy(PyObject *target, int is_maker, int mode) {
    PyObject *x = target;
    if (is_maker) {
        report->stage = STAGE_MAKE;
        x = PyObject_CallFunctionObjArgs(target, NULL);
        if (!x) {
            PyObject *type, *value, *trace;
            PyErr_Fetch(&type, &value, &trace);
            report->raised = 1;
            strncpy(report->error, type ? ((PyTypeObject *)type)->tp_name : "?", sizeof report->error - 1);
            return;
        }
        if (add_new_objects() < 0 || add_closure(x) < 0) return;
    }
    die(x, mode, report);
}

/* How the copy ended; -1 if it was ended because its time was over. */
static int wait_for(pid_t copy, int milliseconds) {
    struct timespec pause = {0, 200000};
    int waited = 0, status = 0;
    for (;;) {
        pid_t ended = waitpid(copy, &status, WNOHANG);
        if (ended == copy) return WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? -1 : status;
        /* Somebody else has waited for it: what it told counts. */
        if (ended < 0 && errno != EINTR) return report->stage == STAGE_DONE || report->raised ? 0 : SIGKILL;
        if (waited > milliseconds * 1000) break;
        nanosleep(&pause, NULL);
        waited += (int)(pause.tv_nsec / 1000);
        if (pause.tv_nsec < 5000000) pause.tv_nsec += pause.tv_nsec / 4;
    }
    kill(copy, SIGKILL);
    waitpid(copy, &status, 0);
    return -1;
}

static PyObject *record_value(const Record *r) {
    return Py_BuildValue("{sK,sK,sL,sL,sL,sL,sL,sL,si,si,si,ss,ss}", "address", (unsigned long long)(uintptr_t)r->address, "type_at",
                         (unsigned long long)(uintptr_t)r->type, "released", (long long)r->released, "cleared",
                         (long long)r->cleared, "visits", (long long)r->visits, "after_clear",
                         (long long)r->visits_after_clear, "before", (long long)r->before, "explained",
                         (long long)r->explained, "flags", (int)r->flags, "place", (int)r->place, "offset",
                         (int)r->offset, "member", r->member, "type", r->type_name);
}

static PyObject *report_value(int status) {
    PyObject *records = PyList_New(0), *result;
    int i;
    for (i = 0; records && i < report->n_records; i++) {
        PyObject *one = record_value(&report->records[i]);
        if (!one || PyList_Append(records, one) < 0) Py_CLEAR(records);
        Py_XDECREF(one);
    }
    if (!records) return NULL;
    result = Py_BuildValue(
        "{si,si,si,ss,ss,sK,ss,si,si,si,si,si,si,ss,si,si,si,si,si,si,si,si,sO}", "status", status, "stage", report->stage,
        "raised", report->raised, "error", report->error, "note", report->note, "type_at",
        (unsigned long long)(uintptr_t)report->type, "type", report->type_name, "has_finalizer",
        report->has_finalizer, "is_gc", report->is_gc, "is_tracked", report->is_tracked, "is_heap", report->is_heap,
        "freed_tracked", report->freed_tracked, "untracked_late", report->untracked_late, "late_type",
        report->late_type, "weak_left", report->weak_left, "revived", report->revived, "unstable", report->unstable,
        "has_clear", report->has_clear, "has_weakrefs", report->has_weakrefs, "too_many", report->too_many,
        "is_python", report->is_python, "immortal", report->immortal, "records", records);
    Py_DECREF(records);
    return result;
}

/* run(address or maker, is it a maker, mode, milliseconds): what a copy of the process saw. */
static PyObject *run(PyObject *self, PyObject *args) {
    PyObject *target;
    int is_maker, mode, milliseconds;
    int32_t index;
    pid_t copy;
    if (!PyArg_ParseTuple(args, "Oiii", &target, &is_maker, &mode, &milliseconds)) return NULL;
    if (!is_maker) {
        index = find_object((void *)(uintptr_t)PyLong_AsUnsignedLongLong(target));
        if (index < 0) return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no known object is there");
        target = known[index].object;
    }
    memset(report, 0, offsetof(Report, records));
    copy = fork();
    if (copy < 0) return PyErr_SetFromErrno(PyExc_OSError);
    if (copy == 0) {
        limit_copy(milliseconds);
        run_copy(target, is_maker, mode);
        _exit(0);
    }
    return report_value(wait_for(copy, 2 * milliseconds));
}

static PyObject *add_known(PyObject *self, PyObject *list) {
    if (!PyList_Check(list)) return PyErr_Format(PyExc_TypeError, "a list of objects");
    if (add_objects(list) < 0) return NULL;
    return PyLong_FromLong(n_known);
}

/* The addresses of the known objects, by their C types: references of ours would spoil the balance. */
static PyObject *by_type(PyObject *self, PyObject *unused) {
    PyObject *all = PyDict_New();
    int32_t i;
    for (i = 0; all && i < n_known; i++) {
        PyObject *type = (PyObject *)c_type(Py_TYPE(known[i].object)), *list = PyDict_GetItem(all, type), *address;
        if (!list) {
            list = PyList_New(0);
            if (!list || PyDict_SetItem(all, type, list) < 0) Py_CLEAR(all);
            Py_XDECREF(list);
        }
        address = PyLong_FromVoidPtr(known[i].object);
        if (all && (!address || PyList_Append(list, address) < 0)) Py_CLEAR(all);
        Py_XDECREF(address);
    }
    return all;
}

/* How many references there are to the object at an address, without one more. */
static PyObject *count_at(PyObject *self, PyObject *address) {
    int32_t index = find_object((void *)(uintptr_t)PyLong_AsUnsignedLongLong(address));
    if (PyErr_Occurred()) return NULL;
    return PyLong_FromSsize_t(index < 0 ? 0 : Py_REFCNT(known[index].object));
}

static PyObject *object_at(PyObject *self, PyObject *address) {
    int32_t index = find_object((void *)(uintptr_t)PyLong_AsUnsignedLongLong(address));
    PyObject *found = index < 0 ? Py_None : known[index].object;
    if (PyErr_Occurred()) return NULL;
    Py_INCREF(found);
    return found;
}

static PyObject *describe(PyObject *self, PyObject *o) {
    PyTypeObject *type = (PyTypeObject *)o;
    if (!PyType_Check(o)) return PyErr_Format(PyExc_TypeError, "a type");
    return Py_BuildValue("{si,si,si,si,sK,sK,ss,si}", "gc", (type->tp_flags & Py_TPFLAGS_HAVE_GC) != 0, "heap",
                         (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0, "clear", type->tp_clear != NULL, "weakrefs",
                         type->tp_weaklistoffset != 0, "dealloc", (unsigned long long)(uintptr_t)type->tp_dealloc,
                         "traverse", (unsigned long long)(uintptr_t)type->tp_traverse, "library", library_of(type), "python",
                         is_python_class(type));
}

/* Says in the report of this copy how its object was made. */
static PyObject *note(PyObject *self, PyObject *text) {
    const char *words = PyUnicode_AsUTF8(text);
    if (!words) return NULL;
    strncpy(report->note, words, sizeof report->note - 1);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"run", run, METH_VARARGS, NULL},           {"add_known", add_known, METH_O, NULL},
    {"by_type", by_type, METH_NOARGS, NULL},    {"object_at", object_at, METH_O, NULL},
    {"count_at", count_at, METH_O, NULL},           {"describe", describe, METH_O, NULL},
    {"note", note, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "coroner_audit", NULL, -1, methods};

PyMODINIT_FUNC PyInit_coroner_audit(void) {
    PyObject *module;
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED) return PyErr_SetFromErrno(PyExc_OSError);
    module = PyModule_Create(&definition);
    if (!module || types_setup() < 0) return NULL;
    PyModule_AddIntConstant(module, "DEATH", MODE_DEATH);
    PyModule_AddIntConstant(module, "FINALIZER_INSIDE", MODE_FINALIZER_INSIDE);
    PyModule_AddIntConstant(module, "ORDER", MODE_ORDER);
    PyModule_AddIntConstant(module, "CLEAR", MODE_CLEAR);
    PyModule_AddIntConstant(module, "WEAK", MODE_WEAK);
    PyModule_AddIntConstant(module, "DONE", STAGE_DONE);
    return module;
}
