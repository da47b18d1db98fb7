/* Field tables: a struct described once, read, written and documented from
 * the description.
 *
 * Requests are read strictly (every member known, typed, within its limits);
 * replies leniently, so an older lazyctl can talk to a newer server. lazyctl
 * builds its options from the same rows. Any thread; tables are constant.
 */
#ifndef WIRE_FIELD_H
#define WIRE_FIELD_H

#include <stdbool.h>
#include <stddef.h>

enum wire_type {
    WIRE_STRING,  /* const char * */
    WIRE_PATH,    /* const char *, absolute */
    WIRE_BOOL,    /* bool */
    WIRE_INT,     /* int */
    WIRE_I64,     /* int64_t */
    WIRE_U64,     /* uint64_t */
    WIRE_HEX,     /* uint64_t, 16 hex digits in a string */
    WIRE_NUMBER,  /* double */
    WIRE_STRINGS, /* const char ** and size_t */
    WIRE_CHOICE,  /* const char *, one of choices (static) */
    WIRE_INDEX,   /* int, the index in choices */
    WIRE_FLAGS,   /* unsigned, a bit for each of choices; list of strings */
    WIRE_OBJECT,  /* a struct inside the struct */
    WIRE_OBJECTS, /* struct * and size_t; or of a writer's a wire_source */
    WIRE_LIMITS   /* no storage: the table of limits */
};

enum {
    WIRE_REQUIRED = 1u,   /* must be given */
    WIRE_POSITIONAL = 2u, /* an argument of lazyctl, not an option */
    WIRE_OPTIONAL = 4u,   /* left out where it has its preset */
    WIRE_CLIENT = 16u,    /* lazyctl's own: never on the wire */
    WIRE_NULLABLE = 8u    /* negative, or no first string: null */
};

struct wire_fields;

struct wire_field {
    const char *name;
    enum wire_type type;
    unsigned flags;
    size_t offset, count_offset;
    size_t source; /* of OBJECTS: one more than its offset, or 0 */
    const struct wire_fields *sub; /* of OBJECT and OBJECTS */
    const char *const *choices;    /* ended by NULL */
    const char *const *aliases;    /* other spellings, by index, or NULL */
    double min, max;               /* of numbers, where max > min */
    double preset;                 /* of numbers and FLAGS when not given */
    char letter;                   /* lazyctl's short option, or 0 */
    const char *metavar;           /* lazyctl's word for the value */
    const char *help;
};

struct wire_fields {
    const struct wire_field *rows;
    size_t count;
    size_t size; /* of the struct */
};

struct cJSON;
struct wire_doc;
struct wire_error;
struct wire_out;

/* Zero BASE and put the presets in. */
void wire_fields_preset(const struct wire_fields *fields, void *base);

/* Fill BASE from an object (NULL: an empty one). Memory comes from DOC.
 * STRICT refuses what the tables do not allow, naming it in ERROR. 0, or -1
 * with ERROR; ERROR may be NULL. */
int wire_fields_read(const struct wire_fields *fields,
                     const struct cJSON *object, bool strict,
                     struct wire_doc *doc, void *base,
                     struct wire_error *error);

/* Write BASE's members, without the braces. */
void wire_fields_write(const struct wire_fields *fields, const void *base,
                       struct wire_out *out);

/* A JSON Schema of the object. */
void wire_fields_schema(const struct wire_fields *fields,
                        struct wire_out *out);

/* The index of WORD among the field's choices and aliases, or -1. */
int wire_field_choice(const struct wire_field *field, const char *word);
/* "a, b or c" of the field's choices. */
void wire_field_choices_text(const struct wire_field *field, char *text,
                             size_t size);

#endif
