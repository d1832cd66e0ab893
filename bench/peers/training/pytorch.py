"""The network of lesson.ts in PyTorch, in a process of its own; see contestant.ts for what is said.

As nanoGPT writes it: query, key and value in one product, learned positions, attention by two batched
products and a softmax, GELU by its tanh form, AdamW and clipping from the library.
"""
import json
import os
import sys
import time

import torch
import torch.nn.functional as F


def read(path, kind):
    with open(path, 'rb') as file:
        return torch.frombuffer(bytearray(file.read()), dtype=kind)


class Network:
    def __init__(self, lesson, folder):
        self.heads, self.width, self.layers = (lesson[key] for key in ('heads', 'width', 'layers'))
        values = read(f'{folder}/weights.bin', torch.float32)
        tensors = {
            name: values[at:at + rows * cols].reshape(rows, cols).squeeze(0).clone()
            for name, at, rows, cols in lesson['tensors']}
        self.embedding = tensors['model.embed_tokens.weight']
        self.positions = tensors['model.embed_positions.weight']
        self.head, self.norm = tensors['lm_head.weight'], tensors['model.norm.weight']
        self.blocks = [self.block(tensors, f'model.layers.{i}.') for i in range(self.layers)]
        future = torch.ones(lesson['context'], lesson['context'], dtype=torch.bool).triu(1)
        self.future = future.view(1, 1, *future.shape)
        matrices, norms = [self.embedding, self.positions, self.head], [self.norm]
        for block in self.blocks:
            for one in block:
                (matrices if one.dim() == 2 else norms).append(one)
        self.parameters = matrices + norms
        for one in self.parameters:
            one.requires_grad_(True)
        self.groups = [
            {'params': matrices, 'weight_decay': lesson['weightDecay']},
            {'params': norms, 'weight_decay': 0.0}]

    def block(self, tensors, prefix):
        of = lambda name: tensors[f'{prefix}{name}.weight']
        qkv = torch.cat([of(f'self_attn.{name}_proj') for name in 'qkv'])
        return [
            of('input_layernorm'), qkv, of('self_attn.o_proj'),
            of('post_attention_layernorm'), of('mlp.up_proj'), of('mlp.down_proj')]

    def normed(self, x, weight):
        return F.layer_norm(x, (self.width,), weight, None, 1e-5)

    def attention(self, x, qkv, out):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in F.linear(x, qkv).split(width, dim=2))
        scores = (q @ k.transpose(-2, -1)) * (width // self.heads) ** -0.5
        p = F.softmax(scores.masked_fill(self.future, float('-inf')), dim=-1)
        return F.linear((p @ v).transpose(1, 2).contiguous().view(batch, length, width), out)

    def loss(self, ids, targets):
        x = F.embedding(ids, self.embedding) + self.positions
        for norm1, qkv, out, norm2, up, down in self.blocks:
            x = x + self.attention(self.normed(x, norm1), qkv, out)
            h = F.gelu(F.linear(self.normed(x, norm2), up), approximate='tanh')
            x = x + F.linear(h, down)
        logits = F.linear(self.normed(x, self.norm), self.head)
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))


def main():
    setup = json.loads(sys.stdin.readline())
    folder = setup['folder']
    torch.set_num_threads(setup['threads'])
    with open(f'{folder}/lesson.json') as file:
        lesson = json.load(file)
    network = Network(lesson, folder)
    optimizer = torch.optim.AdamW(
        network.groups, lr=lesson['learningRate'], betas=(lesson['beta1'], lesson['beta2']),
        eps=lesson['epsilon'])
    windows = read(f'{folder}/windows.bin', torch.int32).long()
    windows = windows.view(-1, lesson['batch'], lesson['context'] + 1)
    done = 0

    def step():
        nonlocal done
        window = windows[done % len(windows)]
        done += 1
        optimizer.zero_grad(set_to_none=True)
        loss = network.loss(window[:, :-1], window[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters, lesson['clipNorm'])
        optimizer.step()
        return loss.item()

    blas = os.environ.get('OPENBLAS_NUM_THREADS', 'all')
    answer = {'engine': f'PyTorch {torch.__version__}, OpenBLAS on {blas}'}
    while True:
        print(json.dumps(answer), flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        losses, times = [], []
        for _ in range(json.loads(line)['steps']):
            start = time.perf_counter()
            losses.append(step())
            times.append((time.perf_counter() - start) * 1000)
        answer = {'losses': losses, 'times': times}


main()
