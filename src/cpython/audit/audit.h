/* The library of `coroner audit`: counts, in copies of the process that die, what objects own.
 *
 * One source for 3.6 to 3.15 (builds with the GIL), compiled on demand for each interpreter. Nothing here is loaded together
 * with the probe of scenarios, and nothing is linked into coroner. */
#ifndef CORONER_AUDIT_H
#define CORONER_AUDIT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "features.h"
#include "heads.h"

#define HIDDEN __attribute__((visibility("hidden")))

#ifndef Py_SET_REFCNT
#define Py_SET_REFCNT(o, n) (Py_REFCNT(o) = (n))
#endif
#ifndef Py_SET_TYPE
#define Py_SET_TYPE(o, t) (Py_TYPE(o) = (t))
#endif

/* From here on a count is no count: the objects of PEP 683, and what is no object. */
#define NO_COUNT 4000000

/* ---- objects.c: the objects that are known ----
 *
 * What is known is kept alive by references of the table's own: so many that one which is released once too often lives, too.
 * So an object that dies takes no other known object with it, and each count that falls at its death was released by its
 * deallocator. */
#define HELD 16

typedef struct {
    PyObject *object;
    int64_t before;    /* its count before the death */
    int64_t explained; /* references of known objects, as their tp_traverse reports them */
    int32_t visits;    /* how often the object that is to die reports it */
    int32_t mark;      /* of the last search that came here */
} Known;

HIDDEN extern Known *known;
HIDDEN extern int32_t n_known;
HIDDEN int32_t find_object(const void *address); /* -1: not known */
HIDDEN int add_objects(PyObject *list);
HIDDEN int add_new_objects(void); /* what the collector tracks now */
HIDDEN int add_closure(PyObject *o);
HIDDEN void count_visits(PyObject *x);
HIDDEN void count_explained(PyObject *except);
HIDDEN int reaches(int32_t from, PyObject *x);
HIDDEN int leads_on(PyObject *o);

/* ---- types.c: what a type is ---- */

HIDDEN int types_setup(void);
HIDDEN int is_python_class(PyTypeObject *type);
HIDDEN PyTypeObject *c_type(PyTypeObject *type);
HIDDEN int is_inert(PyObject *o, int depth);
HIDDEN int is_counted(PyObject *o);
HIDDEN const char *member_at(PyTypeObject *type, int64_t offset);
HIDDEN PyObject **weak_list(PyObject *o);
HIDDEN const char *library_of(PyTypeObject *type);

/* ---- places.c: where an object has the addresses of others ---- */

enum { PLACE_NONE, PLACE_OWN, PLACE_TAGGED, PLACE_HEAP };
typedef struct {
    int32_t object; /* its index in the table */
    int32_t kind;
    int32_t offset; /* bytes from the start of the object; PLACE_HEAP: of the word that leads there */
} Place;
HIDDEN void find_places(PyObject *x);
HIDDEN const Place *place_of(int32_t object);

/* ---- deaths.c: what a copy of the process does, and what it tells ---- */

enum { MODE_DEATH = 1, MODE_FINALIZER_INSIDE = 2, MODE_ORDER = 4, MODE_CLEAR = 8, MODE_WEAK = 16 };
enum { STAGE_MAKE, STAGE_LOOK, STAGE_FINALIZER, STAGE_CLEAR, STAGE_DEATH, STAGE_COUNT, STAGE_DONE };
enum {
    IS_INERT = 1,
    IS_GC = 2,
    IS_TRACKED = 4,
    IS_TYPE = 8,
    IS_MODULE = 16,
    IS_OWN_TYPE = 32,
    REACHES_BACK = 64,
    IS_SHARED = 128,
    IS_PYTHON = 256, /* an instance of a class written in Python, or a function */
    IS_BUILTIN_FUNCTION = 512,
    LEADS_ON = 1024 /* it reports something that is not inert, now */
};
typedef struct {
    void *address, *type;
    int64_t released, cleared, visits, visits_after_clear, before, explained;
    int32_t flags, place, offset;
    char member[48], type_name[112];
} Record;
typedef struct {
    int32_t stage, raised, has_finalizer, is_gc, is_tracked, is_heap, freed_tracked, untracked_late, weak_left, revived;
    int32_t unstable, n_records, too_many, has_clear, is_python, has_weakrefs, immortal;
    void *address, *type;
    char type_name[112], error[112], late_type[112], note[112];
    Record records[400];
} Report;

HIDDEN void die(PyObject *x, int mode, Report *report);

#endif
