package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/rstlab/rstlab/scripts/internal/program"
)

// run plays all, writes the tables and tells whether every line holds.
func (o options) run(ctx context.Context) (holds bool, err error) {
	if err := o.possible(); err != nil {
		return false, err
	}
	if err := o.makeFiles(); err != nil {
		return false, err
	}
	kit, err := installed(ctx, o.players())
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, kit.remove()) }()
	r := report(kit)
	for _, q := range o.questions {
		r.Answers = append(r.Answers, q.blank(kit.tools))
	}
	for r.Rounds < o.rounds && err == nil {
		if err = o.playRound(ctx, r.Answers, kit.tools, r.Rounds); err == nil {
			r.Rounds++
		}
	}
	if r.Rounds == 0 {
		return false, err
	}
	for i, q := range o.questions {
		r.Answers[i].keep(r.Rounds)
		q.judge(&r.Answers[i])
	}
	return r.holds(), errors.Join(err, o.write(r))
}

// possible tells what one of the questions lacks here, before another is played.
func (o options) possible() error {
	for _, q := range o.questions {
		if q.possible == nil {
			continue
		}
		if err := q.possible(); err != nil {
			return fmt.Errorf("question %s cannot be played here: %w; leave it out with -only", q.name, err)
		}
	}
	return nil
}

// playRound plays each question.
func (o options) playRound(ctx context.Context, answers []Answer, tools []tool, round int) error {
	for i, q := range o.questions {
		if err := q.playRound(ctx, round, &answers[i], tools, full); err != nil {
			return err
		}
	}
	return nil
}

// keep keeps the samples of the first rounds: of one that failed some are missing.
func (a *Answer) keep(rounds int) {
	for i := range a.Rows {
		a.Rows[i].Samples = a.Rows[i].Samples[:rounds]
	}
}

// players are the tools that play any of the questions.
func (o options) players() []tool {
	if slices.ContainsFunc(o.questions, func(q question) bool { return !q.oursOnly }) {
		return tools
	}
	return tools[:1]
}

// blank is an answer without samples, with a row for each tool.
func (q question) blank(tools []tool) Answer {
	a := Answer{Question: q.name, What: q.what, Figures: q.figures}
	for _, t := range tools {
		if !q.oursOnly || t.name == oursName {
			a.Rows = append(a.Rows, Row{Tool: t.name})
		}
	}
	return a
}

// playRound lets each tool play the question once, another one first in each round.
func (q question) playRound(ctx context.Context, round int, a *Answer, tools []tool, z size) error {
	for i := range a.Rows {
		row := &a.Rows[(i+round)%len(a.Rows)]
		t := toolNamed(tools, row.Tool)
		begin := time.Now()
		got, err := q.once(ctx, t, z)
		if err != nil {
			return fmt.Errorf("question %s, round %d, %s: %w", q.name, round+1, t.name, err)
		}
		row.Samples = append(row.Samples, got)
		fmt.Fprintf(os.Stderr, "round %d  %-8s %-12s %s (%.1fs)\n", round+1, q.name, t.name, q.line(got), time.Since(begin).Seconds())
	}
	return nil
}

// once plays the question in a lab of its own.
func (q question) once(ctx context.Context, t tool, z size) (got sample, err error) {
	if err := ctx.Err(); err != nil {
		return sample{}, err
	}
	if why := t.why(q.kind, q.clients(z)); why != "" {
		return sample{Note: why}, nil
	}
	lab := &program.Lab{Name: "bench"}
	defer func() {
		if lab.Close(recover()) {
			err = errors.Join(err, errors.New("the lab failed"))
		}
	}()
	got, err = q.play(ctx, lab, t, z)
	if errors.Is(err, errEndless) {
		return sample{Note: "no: " + err.Error()}, nil
	}
	return got, err
}

// judge works out the medians and what holds.
func (q question) judge(a *Answer) {
	for i := range a.Rows {
		a.Rows[i].summarise()
	}
	a.Checks = q.must(*a)
}
