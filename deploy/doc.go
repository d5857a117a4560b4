// Package deploy checks the files beside it, with which Tidemark is deployed, by the parsers of the programs that will
// read them: nothing here needs a container engine or a cluster. It is a module of its own, outside go.work, because
// those parsers are large and no service needs them:
//
//	GOWORK=off go test ./...     in this folder, or: task deploy:check
package deploy
