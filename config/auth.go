package config

import "time"

// Auth is how users prove who they are to an operator's identity provider: by JSON Web Tokens.
type Auth struct {
	Secret   string // path of the file with the secret of HS256; empty: none
	JWKS     URL    // where the public keys are; empty: nowhere
	Refresh  time.Duration
	Issuer   string
	Audience string
	Leeway   time.Duration
	Required bool
}

func (a *Auth) settings() []setting {
	return []setting{
		set(&a.Secret, "auth.secret", "", pathOrNone(), "file with the secret that tokens are signed with by HS256, at least 32 bytes").reloadable(),
		set(&a.JWKS, "auth.jwks", "", webURL(), "JSON Web Key Set with the public keys of tokens signed by RS256 or ES256").reloadable(),
		set(&a.Refresh, "auth.refresh", "5m", duration(time.Second, 24*time.Hour), "how often auth.jwks is read again; an unknown key has it read at once, but not more often than every few seconds").reloadable(),
		set(&a.Issuer, "auth.issuer", "", anything(), "issuer that tokens must be of (iss); empty: any").reloadable(),
		set(&a.Audience, "auth.audience", "", anything(), "audience that tokens must be for (aud); empty: any").reloadable(),
		set(&a.Leeway, "auth.leeway", "5s", duration(0, 5*time.Minute), "how far clocks may be apart when a token's times are looked at").reloadable(),
		set(&a.Required, "auth.required", "false", truth(), "whether every client needs a token; guests and names of one's own choice are refused then").reloadable(),
	}
}

// Enabled reports whether tokens can be verified.
func (a Auth) Enabled() bool { return a.Secret != "" || a.JWKS != "" }
