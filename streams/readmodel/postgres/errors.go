package postgres

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

const insufficientPrivilege = "42501"

// advice is what an operator can do about an error of the server, by its code or class. None of them passes by itself.
var advice = map[string]string{
	"28":    "the role or its password in database.url is not accepted, or the server's pg_hba.conf does not let it in",
	"3D000": "the database does not exist: create it, or correct database.url",

	insufficientPrivilege: "the role lacks a right: make it the owner of the database, or of the schema that its search_path names first",
}

// failed gives an error of the driver its kind, and what an operator needs to know.
func failed(op string, err error) error {
	kind := kindOf(err)
	var refused *pgconn.PgError
	if kind == fault.Permanent && errors.As(err, &refused) {
		if text := adviceFor(refused.Code); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
	}
	return fault.New(op, kind, err)
}

func adviceFor(code string) string {
	if text := advice[code]; text != "" {
		return text
	}
	return advice[code[:min(2, len(code))]]
}

// kindOf tells what passes from what does not. Rows where none can be, missing tables and damaged files need an operator; a server
// that is away, starts, is full or only a replica, a lock, a time limit and a cancelled question pass.
func kindOf(err error) fault.Kind {
	if kind := fault.KindOf(err); kind != fault.Unknown {
		return kind
	}
	if untrusted(err) {
		return fault.Permanent
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return fault.Temporary
	}
	switch class := refused.Code[:min(2, len(refused.Code))]; {
	case adviceFor(refused.Code) != "":
		return fault.Permanent
	case class == "23", class == "XX", class == "22", class == "42", class == "54":
		return fault.Corrupt
	}
	return fault.Temporary
}

// untrusted is whether the server's certificate is not accepted.
func untrusted(err error) bool {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid)
}

// lost reports whether an error means that the server has gone, ends, or is no longer the one that is written to: no connection to it is
// worth being kept.
func lost(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil || fault.KindOf(err) != fault.Unknown {
		return false
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return strings.HasPrefix(refused.Code, "57P") || refused.Code == "25006"
	}
	return true
}
